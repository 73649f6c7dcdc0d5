//! What is there: by name, by configuration, and what is no mailbox.

use crate::stage::Stage;
use serde_json::Value;

fn listed(stage: &Stage, arguments: &[&str]) -> Vec<Value> {
    let out = stage.out(&[&["mailbox", "ls", "--json"], arguments].concat());
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn what_a_mailbox_is_and_holds_is_listed() {
    let stage = Stage::new();
    let parameters =
        ["--capacity", "7", "--policy", "sticky", "--on-crash", "close", "--ceiling", "1MiB"];
    let host = stage.serve(&[&["tcp://127.0.0.1:0#jobs"], &parameters[..]].concat());
    stage.out(&["mailbox", "send", &host.address, "four"]);
    let listed = listed(&stage, &[&host.address]);
    let [found] = &listed[..] else { panic!("{listed:?}") };
    let counts = found["counts"].clone();
    let shown = ["mailbox", "kind", "capacity", "policy", "on_crash", "ceiling", "durable"];
    assert_eq!(
        shown.map(|key| found[key].clone()),
        [
            Value::from(&*host.address),
            "String".into(),
            "7".into(),
            "sticky".into(),
            "close".into(),
            (1 << 20).into(),
            false.into(),
        ]
    );
    let count = ["ready", "held", "accepted", "bytes"].map(|key| counts[key].clone());
    assert_eq!(count, [1, 0, 1, 5].map(Value::from));
    let text = stage.out(&["mailbox", "ls", &host.address]);
    assert_eq!(text.lines().count(), 2);
    assert!(text.starts_with("MAILBOX"), "{text}");
}

#[test]
fn without_names_those_of_the_configuration_are_listed() {
    let stage = Stage::new();
    let host = stage.serve(&["tcp://127.0.0.1:0#far"]);
    let address = host.address.replace("#far", "");
    let nobody = "[services.nobody]\nconnect = \"tcp://127.0.0.1:1\"\n";
    stage.configure(&format!("[services.far]\nconnect = \"{address}\"\n{nobody}"));
    let names: Vec<_> = listed(&stage, &[]).iter().map(|found| found["mailbox"].clone()).collect();
    assert_eq!(names, ["far"]);
}

#[test]
#[cfg(unix)]
fn without_names_those_of_the_private_directory_are_listed() {
    let stage = Stage::new();
    let _both = stage.serve(&["jobs", "unix://letters"]);
    // One whose host was killed is there no more.
    let mut gone = stage.serve(&["gone"]);
    gone.child.kill().unwrap();
    gone.child.wait().unwrap();
    let found = listed(&stage, &["--within", "300ms"]);
    let names: Vec<_> = found.iter().map(|found| found["mailbox"].clone()).collect();
    let by_scheme = if cfg!(target_os = "linux") { "unix://letters#letters" } else { "letters" };
    assert_eq!(names, ["jobs", by_scheme]);
}
