//! Bytes that are no frames, and frames that are cut, flipped, too long or too slow.

use crate::{
    attacker::{Attacker, Said, answers, call, hello, id, lookup, prefixed, varint},
    fortress::{attacked, attacked_within},
    place::on_a_thread,
    work::Seen,
};
use farcall::Limits;
use farcall_core::id::ObjectId;
use std::time::Duration;

/// The first object that an endpoint lends on a connection.
const FIRST: ObjectId = ObjectId { slot: 1, generation: 0 };

fn echo(number: u32, data: &[u8]) -> Vec<u8> {
    let arguments = [varint(data.len() as u64), data.to_vec()].concat();
    call(Some(id(number)), FIRST, "echo", &arguments)
}

/// Numbers that look random, the same in each run.
fn noise(seed: u64) -> impl Iterator<Item = u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    })
}

#[test]
fn random_bytes_are_closed() {
    attacked(|_, address| {
        for seed in 1..150 {
            let bytes: Vec<u8> = noise(seed).take(seed as usize * 3).collect();
            let mut stranger = Attacker::connect(address);
            stranger.raw(&bytes);
            stranger.half_close();
            assert_eq!(answers(&stranger.rest()), 0);
            // As a frame of a right length, after the Hello, where it means something more often.
            let mut guest = Attacker::greeted(address);
            guest.send(&bytes.chunks(7).map(<[u8]>::to_vec).collect::<Vec<_>>());
            guest.half_close();
            assert_eq!(answers(&guest.rest()), 0);
        }
    });
}

#[test]
fn other_protocols_are_closed() {
    attacked(|_, address| {
        for bytes in [
            b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".as_slice(),
            b"POST /rpc HTTP/1.1\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3],
            b"SSH-2.0-OpenSSH_9.6\r\n",
            b"*1\r\n$4\r\nPING\r\n",
        ] {
            let mut stranger = Attacker::connect(address);
            stranger.raw(bytes);
            assert_eq!(answers(&stranger.rest()), 0);
        }
    });
}

#[test]
fn bad_lengths_are_closed() {
    attacked(|_, address| {
        for length in [0, 1 << 25, 1 << 31, u32::MAX] {
            for greeted in [false, true] {
                let mut attacker = match greeted {
                    true => Attacker::greeted(address),
                    false => Attacker::connect(address),
                };
                attacker.raw(&u32::to_le_bytes(length));
                assert_eq!(answers(&attacker.rest()), 0);
            }
        }
    });
}

/// Frames of exactly the limit pass, one byte more does not: before the Hello and after it.
#[test]
fn the_largest_frame_passes_and_no_larger() {
    let mut limits = Limits::default();
    limits.frame = 1 << 20;
    attacked_within(limits.clone(), |_, address| {
        let empty = echo(1, &[0; 70_000]).len() - 70_000;
        let (mut attacker, _) = Attacker::bound(address, "work", 0);
        attacker.send(&[echo(1, &vec![5; limits.frame - empty])]);
        let Said::Ok(_, back) = attacker.next() else { panic!("it fits") };
        assert_eq!(back.len(), limits.frame - empty + 3);
        attacker.send(&[echo(2, &vec![5; limits.frame - empty + 1])]);
        assert_eq!(answers(&attacker.rest()), 0);

        let padded = |length: usize| [hello(), vec![0; length - hello().len()]].concat();
        let mut attacker = Attacker::connect(address);
        attacker.send(&[padded(limits.handshake_frame), lookup(id(0), "work", 0)]);
        assert_eq!(attacker.next(), Said::Hello);
        assert!(matches!(attacker.next(), Said::Ok(..)));
        let mut attacker = Attacker::connect(address);
        attacker.send(&[padded(limits.handshake_frame + 1), lookup(id(0), "work", 0)]);
        assert_eq!(answers(&attacker.rest()), 0);
    });
}

/// After the handshake a frame may take as long as it likes: it is waited for, keeps nobody else waiting, and is answered in the end. There may
/// be many of them, which never end.
#[test]
fn slow_frames_are_waited_for() {
    attacked(|fortress, address| {
        let mut endless: Vec<_> = (0..100).map(|_| Attacker::greeted(address)).collect();
        let beginning = [&u32::to_le_bytes(16 << 20)[..], &[0; 10]].concat();
        endless.iter_mut().for_each(|attacker| attacker.raw(&beginning));
        let (mut slow, _) = Attacker::bound(address, "work", 0);
        for byte in prefixed(&echo(1, b"in the end")) {
            slow.raw(&[byte]);
            fortress.sings();
            endless.iter_mut().for_each(|attacker| attacker.raw(&[byte]));
        }
        assert_eq!(slow.next(), Said::Ok(id(1), b"\x0ain the end".to_vec()));
        assert!(fortress.running.connections() > endless.len());
        drop((slow, endless));
        fortress.is_left_to_the_canary();
    });
}

/// A call that pends when the caller says that nothing more will come is answered too.
#[test]
fn a_half_close_still_gets_its_answers() {
    attacked(|fortress, address| {
        let (mut attacker, work) = Attacker::bound(address, "work", 0);
        attacker.send(&[call(Some(id(1)), work, "pass", &[5])]);
        attacker.half_close();
        fortress.sees(Seen::Began(5));
        fortress.watch().open(1);
        let mut said = attacker.rest();
        // It may be asked whether it is there at all, and need not say so.
        said.retain(|said| *said != Said::Ping);
        assert_eq!(said, [Said::Ok(id(1), vec![5])]);
    });
}

/// A caller that is gone for good looks the same at first: the servant that works for it is dropped.
#[test]
fn a_caller_that_is_gone_is_not_served() {
    on_a_thread(|| {
        attacked(|fortress, address| {
            for number in 0..20 {
                let (mut attacker, work) = Attacker::bound(address, "work", 0);
                attacker.send(&[call(Some(id(1)), work, "pass", &[number])]);
                fortress.sees(Seen::Began(number.into()));
                drop(attacker);
                fortress.sees(Seen::Dropped(number.into()));
            }
        });
    });
}

/// Silence, a header and silence, one byte after the other: none of them buys more time than the handshake has.
#[test]
fn slow_handshakes_are_closed() {
    let mut limits = Limits::default();
    limits.handshake_time = Duration::from_millis(150);
    attacked_within(limits, |_, address| {
        for beginning in [&[][..], &[100, 0, 0, 0], &prefixed(&hello())[..20]] {
            let mut attacker = Attacker::connect(address);
            attacker.raw(beginning);
            attacker.must_be_shut_out();
        }
        let mut trickle = Attacker::connect(address);
        trickle.raw(&u32::to_le_bytes(4000));
        let sent = (0..4000).take_while(|_| trickle.goes_on(Duration::from_millis(5))).count();
        assert!(sent < 4000, "the endpoint has heard it out");
    });
}
