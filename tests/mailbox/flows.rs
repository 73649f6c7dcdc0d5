//! A mailbox as a stream of letters, and as a sink of them: what they take and send, and how they end.

use crate::puppet::everywhere;

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
        assert_eq!(host.ask("deliveries"), "2");
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
fn a_sink_is_ready_when_the_letter_before_was_accepted() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("bounded=2");
        let mut sender = stage.attached(&address);
        assert_eq!(sender.ask("sink"), "ok");
        for letter in 1..=3 {
            assert_eq!(sender.ask(&format!("feed {letter}")), "ok");
        }
        // Two have room, and the third waits: the fourth must wait for that one.
        host.until("waiting", 1);
        sender.tell("feed 4");
        assert_eq!(host.ask("count accepted"), "2");
        assert_eq!(host.ask("recv_now"), "1");
        assert_eq!(sender.hear(), "ok");
        // Closed when the last one is accepted.
        host.until("waiting", 1);
        sender.tell("close_sink");
        assert_eq!(host.ask("count accepted"), "3");
        assert_eq!(host.ask("recv_now"), "2");
        assert_eq!(sender.hear(), "ok");
        assert_eq!(["recv_now", "recv_now"].map(|take| host.ask(take)), ["3", "4"]);
    });
}

#[test]
fn a_sink_fails_when_its_mailbox_is_gone_or_closed() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("bounded=1");
        let mut sender = stage.attached(&address);
        assert_eq!(sender.ask("sink"), "ok");
        assert_eq!([sender.ask("feed 1"), sender.ask("feed 2")], ["ok", "ok"]);
        host.until("waiting", 1);
        sender.tell("flush");
        host.kill();
        assert_eq!(sender.hear(), "MailboxGone");
        // What is sent into it afterwards fails too.
        assert_eq!(sender.ask("feed 3"), "ok");
        assert_eq!(sender.ask("flush"), "MailboxGone");

        let (mut host, address) = stage.host("bounded=1 close");
        let (mut sender, mut careless) = (stage.attached(&address), stage.attached(&address));
        assert_eq!(sender.ask("sink"), "ok");
        assert_eq!([sender.ask("feed 1"), sender.ask("feed 2")], ["ok", "ok"]);
        host.until("waiting", 1);
        assert_eq!(careless.ask("recv"), "1");
        assert_eq!(careless.ask("drop"), "ok");
        assert_eq!(sender.ask("feed 3"), format!("Closed {}", careless.pid()));
    });
}

#[test]
fn a_sink_that_is_dropped_sends_nothing_more() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("bounded=1");
        let mut sender = stage.attached(&address);
        assert_eq!(sender.ask("sink"), "ok");
        assert_eq!([sender.ask("feed 1"), sender.ask("feed 2")], ["ok", "ok"]);
        host.until("waiting", 1);
        assert_eq!(sender.ask("unsink"), "ok");
        host.until("waiting", 0);
        assert_eq!(host.ask("recv_now"), "1");
        assert_eq!(host.ask("try_recv"), "Empty");
    });
}
