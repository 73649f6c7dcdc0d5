//! A mailbox as a stream of letters, and as a sink of them: what they take and send, and how they end.

use crate::stage::everywhere;

#[test]
fn a_stream_takes_one_letter_at_a_time_and_ends_with_its_mailbox() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("bounded=4");
        let mut receiver = stage.attached(&address);
        for letter in 1..=3 {
            assert_eq!(host.ask(&format!("send {letter}")), "sent");
        }
        assert_eq!(receiver.ask("stream"), "ok");
        for letter in 1..=3 {
            // Nothing is taken before it is asked for.
            assert_eq!([host.ask("count held"), host.ask("count asking")], ["0", "0"]);
            assert_eq!(host.ask("count ready"), (4 - letter).to_string());
            assert_eq!(receiver.ask("next"), letter.to_string());
            assert_eq!(host.ask("count held"), "1");
            assert_eq!(receiver.ask("ack_next"), "ok");
            host.until("acked", letter);
        }
        receiver.tell("next");
        host.until("asking", 1);
        host.kill();
        assert_eq!(receiver.hear(), "end");
        assert_eq!(receiver.ask("next"), "end");
    });
}

#[test]
fn a_stream_ends_when_its_mailbox_closes() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("bounded=4 close");
        let (mut reader, mut careless) = (stage.attached(&address), stage.attached(&address));
        assert_eq!(host.ask("send 1"), "sent");
        assert_eq!(careless.ask("recv"), "1");
        assert_eq!(reader.ask("stream"), "ok");
        reader.tell("next");
        host.until("asking", 1);
        assert_eq!(careless.ask("drop"), "ok");
        assert_eq!(reader.hear(), "end");
        assert_eq!(reader.ask("try_recv"), format!("Closed {}", careless.pid()));
    });
}

#[test]
fn a_stream_that_is_dropped_keeps_no_letter() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("bounded=4");
        let mut receiver = stage.attached(&address);
        // It asks no more ..
        assert_eq!(receiver.ask("stream"), "ok");
        assert_eq!(receiver.ask("poll_next"), "pending");
        host.until("asking", 1);
        assert_eq!(receiver.ask("unstream"), "ok");
        host.until("asking", 0);
        assert_eq!(host.ask("send 1"), "sent");
        assert_eq!(host.ask("count ready"), "1");
        assert_eq!(host.ask("recv_now"), "1");
        // .. and what it was sent without having given it out is given back.
        assert_eq!(receiver.ask("stream"), "ok");
        assert_eq!(receiver.ask("poll_next"), "pending");
        host.until("asking", 1);
        assert_eq!(host.ask("send 2"), "sent");
        assert_eq!(host.ask("count held"), "1");
        assert_eq!(receiver.ask("unstream"), "ok");
        host.until("ready", 1);
        assert_eq!(host.ask("recv"), "2");
        // Once or twice: it may have been withdrawn before it was on its way.
        assert!(["1", "2"].contains(&host.ask("deliveries").as_str()));
    });
}

#[test]
fn letters_are_taken_one_after_the_other_until_the_mailbox_is_gone() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("bounded=1");
        let mut receiver = stage.attached(&address);
        receiver.tell("drain");
        for letter in 1..=3 {
            assert_eq!(host.ask(&format!("send {letter}")), "sent");
        }
        host.until("acked", 3);
        host.kill();
        assert_eq!(receiver.hear(), "1 2 3");
    });
}

#[test]
fn a_stream_takes_several_letters_where_it_may() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("bounded=8 pair");
        let mut receiver = stage.attached(&address);
        assert_eq!(host.ask("send_all 1 2 3 4 5"), "sent 5");
        assert_eq!(receiver.ask("stream"), "ok");
        // Half of the capacity, so that a sender can go on meanwhile.
        assert_eq!(receiver.ask("next"), "1");
        assert_eq!([host.ask("count held"), host.ask("count ready")], ["4", "1"]);
        assert_eq!(receiver.ask("ack_next"), "ok");
        host.until("acked", 1);
        assert_eq!(receiver.ask("next"), "2");
        assert_eq!(receiver.ask("drop_next"), "ok");
        host.until("ready", 2);
        // What it has not given out is put back, and has not been delivered; what it had given out has.
        assert_eq!(receiver.ask("next"), "3");
        assert_eq!(receiver.ask("unstream"), "ok");
        host.until("ready", 3);
        assert_eq!(receiver.ask("ack_next"), "ok");
        host.until("acked", 2);
        for (letter, deliveries) in [("2", "2"), ("4", "1"), ("5", "1")] {
            assert_eq!(host.ask("recv"), letter);
            assert_eq!(host.ask("deliveries"), deliveries);
            // Unread or not, it may come late, and says so.
            assert_eq!(host.ask("redelivered"), (letter != "5").to_string());
            assert_eq!(host.ask("ack"), "ok");
        }
    });
}

#[test]
fn a_receiver_that_dies_gives_back_what_its_stream_had_taken() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("bounded=8 pair");
        let mut receiver = stage.attached(&address);
        assert_eq!(host.ask("send_all 1 2 3"), "sent 3");
        assert_eq!(receiver.ask("stream"), "ok");
        assert_eq!([receiver.ask("next"), receiver.ask("ack_next")], ["1", "ok"]);
        host.until("acked", 1);
        receiver.kill();
        host.until("ready", 2);
        assert_eq!([host.ask("recv"), host.ask("deliveries")], ["2", "2"]);
    });
}

#[test]
fn values_are_acked_before_they_are_given_out() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("bounded=4 pair");
        let mut receiver = stage.attached(&address);
        assert_eq!(host.ask("send_all 1 2 3"), "sent 3");
        assert_eq!(receiver.ask("values"), "ok");
        assert_eq!(receiver.ask("next_value"), "1");
        assert_eq!([host.ask("count acked"), host.ask("count ready")], ["2", "1"]);
        assert_eq!([receiver.ask("next_value"), receiver.ask("next_value")], ["2", "3"]);
        assert_eq!([host.ask("count acked"), host.ask("count held")], ["3", "0"]);
        receiver.tell("next_value");
        host.until("asking", 1);
        host.kill();
        assert_eq!(receiver.hear(), "end");
    });
}

#[test]
fn letters_that_are_sent_together_are_accepted_one_after_the_other() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("bounded=2 ceiling=20");
        let (mut sender, mut other) = (stage.attached(&address), stage.attached(&address));
        sender.tell("send_all 1 2 3 4");
        host.until("waiting", 1);
        assert_eq!(host.ask("count accepted"), "2");
        other.tell("send 5");
        host.until("waiting", 2);
        assert_eq!([host.ask("recv_now"), host.ask("recv_now")], ["1", "2"]);
        assert_eq!(sender.hear(), "sent 4");
        // Their receipts are those of each.
        assert_eq!([host.ask("recv_now"), host.ask("recv")], ["3", "4"]);
        assert_eq!(sender.ask("taken_by 3"), host.pid());
        assert_eq!(other.hear(), "sent");
        assert_eq!(host.ask("ack"), "ok");
        assert_eq!(host.ask("recv_now"), "5");
        // All, or none.
        let many: Vec<_> = (100..121).map(|letter| letter.to_string()).collect();
        let many = format!("send_all {}", many.join(" "));
        assert_eq!(sender.ask(&many), "LimitExceeded 20");
        assert_eq!([host.ask("count accepted"), host.ask("count bytes")], ["5", "0"]);
        // Those that wait are withdrawn with their sender.
        sender.tell("send_all 6 7 8");
        host.until("waiting", 1);
        sender.kill();
        host.until("waiting", 0);
        assert_eq!([host.ask("recv_now"), host.ask("recv_now")], ["6", "7"]);
        assert_eq!(host.ask("try_recv"), "Empty");
    });
}

#[test]
fn a_sink_sends_when_it_is_flushed() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("bounded=2");
        let mut sender = stage.attached(&address);
        assert_eq!([sender.ask("sink"), sender.ask("feed 1 2 3")], ["ok", "ok"]);
        assert_eq!(host.ask("count accepted"), "0");
        // Two have room, and the third waits.
        sender.tell("flush");
        host.until("waiting", 1);
        assert_eq!(host.ask("count accepted"), "2");
        assert_eq!(host.ask("recv_now"), "1");
        assert_eq!(sender.hear(), "ok");
        // Closed when the last one is accepted.
        assert_eq!(sender.ask("feed 4"), "ok");
        sender.tell("close_sink");
        host.until("waiting", 1);
        assert_eq!(host.ask("count accepted"), "3");
        assert_eq!(host.ask("recv_now"), "2");
        assert_eq!(sender.hear(), "ok");
        assert_eq!(["recv_now", "recv_now"].map(|take| host.ask(take)), ["3", "4"]);
    });
}

#[test]
fn a_sink_sends_a_full_parcel_and_waits_when_four_are_on_their_way() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("bounded=1");
        let mut sender = stage.attached(&address);
        let feed = |count: u32| {
            let letters: Vec<_> = (0..count).map(|letter| letter.to_string()).collect();
            format!("feed {}", letters.join(" "))
        };
        assert_eq!([sender.ask("sink"), sender.ask(&feed(128))], ["ok", "ok"]);
        assert_eq!(host.ask("count accepted"), "0");
        assert_eq!(sender.ask("feed 128"), "ok");
        host.until("waiting", 1);
        // Four parcels, and a fifth that is full.
        assert_eq!(sender.ask(&feed(4 * 128 - 1)), "ok");
        host.until("waiting", 4);
        sender.tell("feed 0");
        for letter in 0..127 {
            assert_eq!(host.ask("recv_now"), letter.to_string());
        }
        assert_eq!(sender.hear(), "ok");
        host.until("waiting", 4);
    });
}

#[test]
fn a_sink_fails_when_its_mailbox_is_gone_or_closed() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("bounded=1");
        let mut sender = stage.attached(&address);
        assert_eq!([sender.ask("sink"), sender.ask("feed 1 2")], ["ok", "ok"]);
        sender.tell("flush");
        host.until("waiting", 1);
        host.kill();
        assert_eq!(sender.hear(), "MailboxGone");
        // What is sent into it afterwards fails too.
        assert_eq!(sender.ask("feed 3"), "ok");
        assert_eq!(sender.ask("flush"), "MailboxGone");

        let (mut host, address) = stage.host("bounded=1 close");
        let (mut sender, mut careless) = (stage.attached(&address), stage.attached(&address));
        assert_eq!([sender.ask("sink"), sender.ask("feed 1 2")], ["ok", "ok"]);
        sender.tell("flush");
        host.until("waiting", 1);
        assert_eq!(careless.ask("recv"), "1");
        assert_eq!(careless.ask("drop"), "ok");
        assert_eq!(sender.hear(), format!("Closed {}", careless.pid()));
    });
}

#[test]
fn a_sink_that_is_dropped_sends_nothing_more() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("bounded=1");
        let mut sender = stage.attached(&address);
        assert_eq!([sender.ask("sink"), sender.ask("feed 1 2")], ["ok", "ok"]);
        assert_eq!(sender.ask("poll_flush"), "pending");
        host.until("waiting", 1);
        assert_eq!(sender.ask("unsink"), "ok");
        host.until("waiting", 0);
        assert_eq!(host.ask("recv_now"), "1");
        assert_eq!(host.ask("try_recv"), "Empty");
    });
}

/// Also where a stream takes one letter at a time.
#[test]
fn a_letter_of_a_stream_that_is_dropped_is_delivered_again() {
    everywhere(|stage| {
        for terms in ["bounded=1", "zero redeliver=3", "bounded=1 least_loaded"] {
            let (mut host, address) = stage.host(terms);
            let mut receiver = stage.attached(&address);
            assert_eq!(receiver.ask("stream"), "ok");
            receiver.tell("next");
            assert_eq!(host.ask("send 1"), "sent");
            for _ in 0..2 {
                assert_eq!(receiver.hear(), "1", "{terms}");
                assert_eq!(receiver.ask("drop_next"), "ok");
                receiver.tell("next");
            }
            assert_eq!(receiver.hear(), "1", "{terms}");
            assert_eq!(receiver.ask("ack_next"), "ok");
            host.until("acked", 1);
        }
    });
}
