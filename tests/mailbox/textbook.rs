//! The rows of the textbook's table about naming, capacity and waiting.

use crate::stage::everywhere;

#[test]
fn indirect_communication_many_processes_and_many_mailboxes() {
    everywhere(|stage| {
        let (mut one, first) = stage.host("bounded=8");
        let (mut two, second) = stage.host("bounded=8");
        let mut sender = stage.attached(&first);
        assert_eq!(sender.ask("send 1"), "sent");
        assert_eq!(one.ask("recv"), "1");
        assert_eq!(one.ask("sender"), sender.pid());
        assert_eq!(sender.ask(&format!("attach {second}")), "ok");
        assert_eq!(sender.ask("send 2"), "sent");
        assert_eq!(two.ask("recv"), "2");
        assert_eq!(one.ask("ack"), "ok");
        one.until("acked", 1);
    });
}

#[test]
fn a_mailbox_owned_by_a_process_is_gone_with_it() {
    everywhere(|stage| {
        let (host, address) = stage.host("bounded=1");
        let mut user = stage.attached(&address);
        assert_eq!(user.ask("send 1"), "sent");
        user.tell("send 2");
        host.kill();
        assert_eq!(user.hear(), "MailboxGone");
        assert_eq!(user.ask("try_recv"), "MailboxGone");
    });
}

#[test]
fn zero_capacity_is_a_rendezvous() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("zero");
        let (mut sender, mut receiver) = (stage.attached(&address), stage.attached(&address));
        assert_eq!(sender.ask("try_send 1"), "NoReceiver");
        assert_eq!(receiver.ask("try_recv"), "Empty");
        // The sender waits until somebody receives ..
        sender.tell("send 2");
        host.until("waiting", 1);
        assert_eq!(host.ask("count ready"), "0");
        assert_eq!(receiver.ask("recv"), "2");
        assert_eq!(sender.hear(), "sent");
        assert_eq!(sender.ask("taken_by"), receiver.pid());
        // .. and a send that does not wait succeeds if somebody is receiving.
        receiver.tell("recv");
        while sender.ask("try_send 3") != "sent" {}
        assert_eq!(receiver.hear(), "3");
    });
}

#[test]
fn bounded_capacity_makes_senders_wait_in_their_order() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("bounded=2");
        let (mut first, mut second) = (stage.attached(&address), stage.attached(&address));
        assert_eq!(first.ask("send 1"), "sent");
        assert_eq!(first.ask("send 2"), "sent");
        assert_eq!(first.ask("try_send 9"), "Full");
        first.tell("send 3");
        host.until("waiting", 1);
        second.tell("send 4");
        host.until("waiting", 2);
        // A letter that is taken and not acked counts still.
        assert_eq!(host.ask("recv"), "1");
        assert_eq!(host.ask("count waiting"), "2");
        assert_eq!(host.ask("ack"), "ok");
        assert_eq!(first.hear(), "sent");
        for letter in ["2", "3", "4"] {
            assert_eq!(host.ask("recv_now"), letter);
        }
        assert_eq!(second.hear(), "sent");
    });
}

#[test]
fn unbounded_capacity_never_waits_and_has_a_ceiling() {
    everywhere(|stage| {
        // Each letter has one byte.
        let (mut host, address) = stage.host("unbounded ceiling=100");
        let mut sender = stage.attached(&address);
        for letter in 0..100 {
            assert_eq!(sender.ask(&format!("send {letter}")), "sent");
        }
        assert_eq!(host.ask("count bytes"), "100");
        assert_eq!(sender.ask("send 1"), "LimitExceeded 100");
        assert_eq!(host.ask("recv_now"), "0");
        assert_eq!(sender.ask("send 1"), "sent");
    });
}

#[test]
fn blocking_and_non_blocking_send_and_receive() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("bounded=1");
        let (mut sender, mut receiver) = (stage.attached(&address), stage.attached(&address));
        // Blocking receive, non-blocking send.
        receiver.tell("recv_now");
        assert_eq!(sender.ask("try_send 1"), "sent");
        assert_eq!(receiver.hear(), "1");
        // Blocking send, non-blocking receive.
        assert_eq!(receiver.ask("try_recv"), "Empty");
        assert_eq!(sender.ask("send 2"), "sent");
        assert_eq!(receiver.ask("try_recv"), "2");
        assert_eq!(receiver.ask("try_recv"), "Empty");
        // Both non-blocking.
        assert_eq!(sender.ask("try_send 3"), "Full");
        assert_eq!(receiver.ask("ack"), "ok");
        host.until("held", 0);
        assert_eq!(sender.ask("try_send 3"), "sent");
        assert_eq!(receiver.ask("try_recv"), "3");
        assert_eq!(receiver.ask("ack"), "ok");
        // Both blocking.
        receiver.tell("recv_now");
        sender.tell("send 4");
        assert_eq!((receiver.hear(), sender.hear()), ("4".to_owned(), "sent".to_owned()));
    });
}

#[test]
fn sends_and_receives_end_in_time() {
    everywhere(|stage| {
        let (mut host, address) = stage.host("bounded=1");
        let mut user = stage.attached(&address);
        assert_eq!(user.ask("recv_timeout"), "TimedOut");
        assert_eq!(user.ask("send_timeout 1"), "sent");
        // What has timed out was surely not taken, and is not there.
        assert_eq!(user.ask("send_timeout 2"), "TimedOut");
        assert_eq!(host.ask("count waiting"), "0");
        assert_eq!(user.ask("recv_timeout"), "1");
        assert_eq!(user.ask("ack"), "ok");
        assert_eq!(user.ask("recv_timeout"), "TimedOut");
    });
}

#[test]
fn indirect_communication_many_mailboxes_between_the_same_two_processes() {
    everywhere(|stage| {
        let (mut host, numbers) = stage.host("bounded=2");
        let orders = stage.host_by(&mut host, "host_orders", "");
        let mut other = stage.attached(&numbers);
        assert_eq!(other.ask(&format!("attach_orders {orders}")), "ok");
        assert_eq!([other.ask("send 5"), other.ask("send_order 6 7")], ["sent", "ok"]);
        assert_eq!([host.ask("take_order"), host.ask("recv_now")], ["6 with 7", "5"]);
        assert_eq!([host.ask("send 8"), host.ask("send_order 9 1")], ["sent", "ok"]);
        assert_eq!([other.ask("recv_now"), other.ask("take_order")], ["8", "9 with 1"]);
    });
}

#[test]
fn indirect_communication_a_mailbox_is_found_by_its_configured_name() {
    everywhere(|stage| {
        let (mut host, mut other) = (stage.puppet(), stage.puppet());
        host.ask("host alice bounded=2");
        assert_eq!(other.ask("attach alice"), "ok");
        assert_eq!([other.ask("send 5"), host.ask("recv_now")], ["sent", "5"]);
    });
}
