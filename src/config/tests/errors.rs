//! Each mistake, word for word.

use super::{NONE, parse};
use crate::config::file::File;
use farcall_core::error::{Error, ErrorKind};

fn wrong(text: &str) -> Error {
    Error::of(ErrorKind::Configuration, text.to_owned())
}

#[test]
fn in_the_file() {
    fn check(text: &str, want: &str) {
        assert_eq!(
            parse(text, &NONE).unwrap_err(),
            wrong(&format!("farcall.toml:{want}")),
            "{text}"
        );
    }
    // The language.
    check("a", "1:2: key with no value, expected `=`");
    check("[services\n", "1:10: unclosed table, expected `]`");
    check("[limits]\nframe = 1\nframe = 2", "3:1: duplicate key");
    check("[limits]\n frame = 'a", "2:12: invalid literal string, expected `'`");

    // Keys.
    check("[service.a]", "1:2: unknown key `service`; did you mean `services`?");
    check("\n[zzz]", "2:2: unknown key `zzz`: there is `services`, `limits`");
    let connect = "2:1: unknown key `conect`; did you mean `connect`?";
    check("[services.archive]\nconect = 'tcp://h:1'", connect);
    check(
        "[services.a]\nListen = 'tcp://h:1'",
        "2:1: unknown key `Listen`; did you mean `listen`?",
    );
    let port = "1:16: unknown key `port`: there is `connect`, `listen`, `spin`";
    check("services.a = { port = 1 }", port);
    let letters = "1:10: invalid unquoted key, expected letters, numbers, `-`, `_`";
    check("services.é.x = 1", letters);
    check("services.a.'é' = 1", "1:12: unknown key `é`: there is `connect`, `listen`, `spin`");
    check("[limits]\n\n  fraem = 1", "3:3: unknown key `fraem`; did you mean `frame`?");
    let limits = "2:1: unknown key `bananas`: there is `handshake_frame`, `frame`, `decoded`, `arrived_bytes`, \
                  `outbox_bytes`, `outbox_payloads`, `outbound`, `overhead`, `interface_bytes`, `metadata_bytes`, `handshakes`, \
                  `depth`, `serving`, `cancelled`, `pipelined_per_answer`, `pipelined`, `outbox_calls`, `objects`, `interfaces`, \
                  `strays`, `metadata_entries`, `handshake_time`, `stalled`, \
                  `deadline`, `ping_after`, `dead_after`";
    check("[limits]\nbananas = 1", limits);
    let column = "1:32: unknown key `b`: there is `connect`, `listen`, `spin`";
    check("services.'a' = { 'spin' = 'ü', b = 1 }", column);
    let twice = "2:11: the service `a_b` is there twice: case, `-`, `.` and `_` do not count";
    check("[services.A-b]\n[services.a_b]", twice);
    let name = "1:11: `a b` is not a name: a name is letters, digits, `_`, `.` and `-`";
    check("[services.'a b']", name);

    // Types.
    check("services = 1", "1:12: `services` is a table, not an integer");
    check("limits = ['a']", "1:10: `limits` is a table, not an array");
    check("services.a = 'tcp://h:1'", "1:14: `a` is a table, not a string");
    check("services.a.connect = 7000", "1:22: `connect` is a string, not an integer");
    check("services.a.connect = ['a']", "1:22: `connect` is a string, not an array");
    check("services.a.connect = { a = 1 }", "1:22: `connect` is a string, not a table");
    check("services.a.spin = false", "1:19: `spin` is a string, not a boolean");
    let listen = "1:21: `listen` is a string or an array of strings, not a float";
    check("services.a.listen = 1.5", listen);
    check("services.a.listen = ['inproc://a', 1]", "1:36: `listen` is a string, not an integer");
    check("limits.frame = true", "1:16: `frame` is a number or a string, not a boolean");
    check("limits.serving = 1.5", "1:18: `serving` is a number, not a float");
    check("limits.deadline = 1979-05-27", "1:19: `deadline` is a string, not a datetime");
}

#[test]
fn in_the_values_of_a_file() {
    fn check(text: &str, want: &str) {
        assert_eq!(
            parse(text, &NONE).unwrap_err(),
            wrong(&format!("farcall.toml:{want}")),
            "{text}"
        );
    }
    let place = "1:22: the address `tcp://` has no place: write one after `://`, as in `tcp://127.0.0.1:7000`";
    check("services.a.connect = 'tcp://'", place);
    let name = "1:22: the address `b` is a name and not an address: an address is `scheme://place`, as in \
                `tcp://127.0.0.1:7000`";
    check("services.a.connect = 'b'", name);
    let option = "3:3: the address `inproc://a?spni=off` has the unknown option `spni`: there is `spin`, `arena`; did you mean \
                  `spin`?";
    check("services.a.listen = [\n'inproc://a',\n  'inproc://a?spni=off']", option);
    let spin = "1:19: spin is `off`, `adaptive` or `always`, not `on`";
    check("services.a.spin = 'on'", spin);
    let empty = "1:21: `listen` is empty: list an address, or leave it out";
    check("services.a.listen = []", empty);
    let service = "1:21: `listen` is about an endpoint: leave `#b` out";
    check("services.a.listen = 'tcp://h:1#b'", service);

    let size = |found| {
        format!(
            "1:16: `frame` is a size, not `{found}`: write a number of bytes, or one with a unit as in `16MiB` (B, KiB, MiB, GiB)"
        )
    };
    for found in
        ["", "x", "16 bananas", "16MB", "1.5MiB", "-1", "99999999999GiB", "99999999999999999999"]
    {
        check(&format!("limits.frame = '{found}'"), &size(found));
    }
    check("limits.frame = -5", &size("-5"));
    check("limits.frame = '0KiB'", "1:16: `frame` is 0: it must be more");

    let time = |found| {
        format!(
            "1:19: `deadline` is a duration, not `{found}`: write a number with a unit as in `10s` (ms, s, m, h, d), at most `366d`"
        )
    };
    for found in ["10", "", "s", "10 weeks", "1.5s", "-1s", "367d", "18446744073709551615d"] {
        check(&format!("limits.deadline = '{found}'"), &time(found));
    }
    check("limits.deadline = 10", &time("10"));
    check("limits.deadline = '0s'", "1:19: `deadline` is 0: it must be more");

    let number =
        |found| format!("1:18: `serving` is a number, not `{found}`: write it as in `1024`");
    check("limits.serving = '1KiB'", &number("1KiB"));
    check("limits.serving = -1", &number("-1"));
}

#[test]
fn in_the_environment() {
    fn check(name: &str, value: &str, want: &str) {
        let want = format!("the environment variable {name}: {want}");
        assert_eq!(parse("", &[(name, value)]).unwrap_err(), wrong(&want));
    }
    let services = "unknown section `servces`; did you mean `services`?";
    check("FARCALL__SERVCES__ARCHIVE__CONNECT", "tcp://h:1", services);
    check("FARCALL__", "1", "unknown section ``: there is `services`, `limits`");
    check("farcall__config", "1", "unknown section `config`: there is `services`, `limits`");
    let key = "it names no service or no key: it is FARCALL__SERVICES__NAME__KEY, with the key CONNECT, LISTEN or SPIN";
    for name in [
        "FARCALL__SERVICES",
        "FARCALL__SERVICES__A",
        "FARCALL__SERVICES____CONNECT",
        "FARCALL__SERVICES__A__",
    ] {
        check(name, "tcp://h:1", key);
    }
    let connect = "unknown key `conect`; did you mean `connect`?";
    check("FARCALL__SERVICES__ARCHIVE__CONECT", "tcp://h:1", connect);
    check("FARCALL__LIMITS__FRAM", "1", "unknown key `fram`; did you mean `frame`?");
    check("FARCALL__SERVICES__A__CONNECT", " ", "it is empty: set it to something, or unset it");
    let name = "the address `b` is a name and not an address: an address is `scheme://place`, as in `tcp://127.0.0.1:7000`";
    check("FARCALL__SERVICES__A__CONNECT", "b", name);
    check("FARCALL__SERVICES__A__LISTEN", "tcp://h:1,b", name);
    check("FARCALL__SERVICES__A__SPIN", "on", "spin is `off`, `adaptive` or `always`, not `on`");
    let serving = "`serving` is a number, not `many`: write it as in `1024`";
    check("FARCALL__LIMITS__SERVING", "many", serving);
}

#[test]
fn a_file_in_a_folder_above_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("a/b");
    std::fs::create_dir_all(&below).unwrap();
    let path = folder.path().join("farcall.toml");
    std::fs::write(&path, "[limits]").unwrap();
    let found = File::above(&below).unwrap();
    assert_eq!((found.text.as_str(), found.name), ("[limits]", path.display().to_string()));

    std::fs::write(below.join("farcall.toml"), [0xff]).unwrap();
    let error = File::above(&below).unwrap_err();
    let path = below.join("farcall.toml");
    assert_eq!(
        error,
        wrong(&format!(
            "cannot read the configuration {}: stream did not contain valid UTF-8",
            path.display()
        ))
    );
}
