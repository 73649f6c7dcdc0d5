//! What is an address, and what is said of what is none.

use super::*;
use std::collections::HashSet;

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

#[test]
fn good_addresses() {
    fn check(text: &str, want: (&str, &str, Option<&str>, Spin)) {
        let found = address(text);
        assert_eq!((found.scheme(), found.place(), found.service(), found.spin()), want);
        assert_eq!(found.to_string(), text);
        assert_eq!(text.parse(), Ok(found));
    }
    use Spin::{Adaptive, Always, Off};
    check("inproc://a", ("inproc", "a", None, Adaptive));
    check("tcp://host:7000#archive", ("tcp", "host:7000", Some("archive"), Adaptive));
    check("tcp://[::1]:0?spin=off#a.b", ("tcp", "[::1]:0", Some("a.b"), Off));
    check("unix:///run/a.sock?spin=always", ("unix", "/run/a.sock", None, Always));
    check("unix://a?spin=adaptive", ("unix", "a", None, Adaptive));
    check("tcp://host", ("tcp", "host", None, Adaptive));
    check("exec://cat -u", ("exec", "cat -u", None, Adaptive));
    check("unix:///100%25%23%3F#%23%25", ("unix", "/100%#?", Some("#%"), Adaptive));
    check("nats://server/name", ("nats", "server/name", None, Adaptive));
    check("a+b-c.1://x://y", ("a+b-c.1", "x://y", None, Adaptive));
    check("unix:///é#ü", ("unix", "/é", Some("ü"), Adaptive));
}

#[test]
fn bad_addresses() {
    fn check(text: &str, want: &str) {
        let want = format!("the address `{text}` {want}");
        assert_eq!(Address::parse(text), Err(Error::of(ErrorKind::Address, want)));
    }
    const SCHEME: &str = "a scheme is letters, digits, `+`, `.` and `-`, a letter first";
    const ESCAPED: &str = "only `%`, `#` and `?` are escaped, as `%25`, `%23` and `%3F`";
    check("", "has no scheme: write `scheme://place`, as in `tcp://127.0.0.1:7000`");
    check("a:1", "has no scheme: write `scheme://place`, as in `tcp://127.0.0.1:7000`");
    let name = "is a name and not an address: an address is `scheme://place`, as in `tcp://127.0.0.1:7000`";
    check("archive", name);
    let scheme = "has no scheme: write one before `://`, as in `tcp://127.0.0.1:7000`";
    check("://host:1", scheme);
    check("t p://host:1", &format!("has the scheme `t p`: {SCHEME}"));
    check("1a://host", &format!("has the scheme `1a`: {SCHEME}"));
    let place = "has no place: write one after `://`, as in `tcp://127.0.0.1:7000`";
    for text in ["tcp://", "tcp://#a", "tcp://?spin=off"] {
        check(text, place);
    }
    check("tcp://h#", "names no service after `#`: name one, or leave the `#` out");
    check("tcp://h#a#b", "has two `#`: write the one in the place as `%23`");
    check("tcp://h#a?spin=off", "has a `?` after the `#`: options go before the service");
    check("tcp://h?", "has the option ``: an option is `key=value`");
    check("tcp://h?spin", "has the option `spin`: an option is `key=value`");
    check("tcp://h?spin=off&", "has the option ``: an option is `key=value`");
    check("tcp://h?spin=off&spin=off", "sets `spin` twice");
    check("tcp://h?spin=", "is wrong: spin is `off`, `adaptive` or `always`, not ``");
    check("tcp://h?spin=on", "is wrong: spin is `off`, `adaptive` or `always`, not `on`");
    check("tcp://h?speed=1", "has the unknown option `speed`: there is `spin`, `arena`");
    for key in ["spn", "Spin", "sping", "pin", "spni", "span"] {
        let want = format!(
            "has the unknown option `{key}`: there is `spin`, `arena`; did you mean `spin`?"
        );
        check(&format!("tcp://h?{key}=off"), &want);
    }
    for size in ["", "MiB", "much", "1.5MiB", "-1", "1TiB", "20000000000GiB"] {
        let want = format!(
            "is wrong: an arena has a size as in `256MiB` (B, KiB, MiB, GiB), not `{size}`"
        );
        check(&format!("shm://a?arena={size}"), &want);
    }
    check("unix:///a%20b", &format!("has the escape `%20`: {ESCAPED}"));
    check("unix:///100%", &format!("has the escape `%`: {ESCAPED}"));
    check("tcp://h#%é", &format!("has the escape `%é`: {ESCAPED}"));
    check("unix:///a\0b", "contains the control character '\\0'");
}

#[test]
fn names() {
    for name in ["archive", "a", "a.b_c-1", "7"] {
        assert!(is_name(name), "{name}");
    }
    for text in ["", "tcp://a", "a b", "a/b", "é", "a#b", "a:1"] {
        assert!(!is_name(text), "{text}");
    }
}

#[test]
fn services_and_spin_are_replaced() {
    let plain = address("TCP://h:1");
    assert_eq!(plain.to_string(), "tcp://h:1");
    let other = plain.clone().with_service("a#b").with_spin(Spin::Off);
    assert_eq!(other.to_string(), "tcp://h:1?spin=off#a%23b");
    assert_eq!(other.option("spin"), Some("off"));
    assert_eq!(plain.option("spin"), None);
    assert_eq!(other.clone().with_service("").with_service("c").service(), Some("c"));
    assert_eq!(other.with_spin(Spin::Always).without_service(), address("tcp://h:1?spin=always"));
    assert!(HashSet::from([plain]).contains(&address("tcp://h:1")));
}

#[test]
fn arenas_have_sizes() {
    let sizes =
        [("0", 0), ("4096", 4096), ("1KiB", 1 << 10), ("256MiB", 256 << 20), ("1 GiB", 1 << 30)];
    for (text, bytes) in sizes {
        let address = address(&format!("shm://a?spin=off&arena={text}#b"));
        assert_eq!((address.arena(), address.spin()), (Some(bytes), Spin::Off));
        assert_eq!(address.with_spin(Spin::Always).arena(), Some(bytes));
    }
    assert_eq!(address("shm://a").arena(), None);
}

#[test]
fn it_travels_as_text() {
    let sent = address("unix:///a%25?spin=off#b");
    let bytes = postcard::to_stdvec(&sent).unwrap();
    assert_eq!(postcard::from_bytes(&bytes), Ok(sent));
    assert!(postcard::from_bytes::<Address>(&[1, b'x']).is_err());
}
