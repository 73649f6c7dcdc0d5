//! Peer: Java's RMI, where there is a `java`. Both ends are a virtual machine of Java's, which this one's processes
//! start and talk to by lines.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::driver::Driver;
use crate::placement::Placement;
use crate::row::{Address, Row, Transport};
use crate::stopwatch::Measured;
use crate::work::Work;

/// This file's rows.
pub const ROWS: &[&dyn Row] = &[&Rmi];

struct Rmi;

impl Row for Rmi {
    fn name(&self) -> &'static str {
        "rmi"
    }

    fn about(&self) -> &'static str {
        "Java's RMI of the JDK that is there, if one is; TCP_NODELAY, which it sets itself; four seconds of work \
         before the first that counts; blocking threads at both ends, so many in flight are as many connections"
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Tcp]
    }

    fn offers(&self, _: Placement, work: Work) -> bool {
        let objects = matches!(work, Work::Member | Work::Callback);
        let offered = (work.is_universal() && !matches!(work, Work::Held(_))) || objects;
        offered && *IS_THERE
    }

    /// All that a client calls at one server shares its connections.
    fn stands(&self) -> bool {
        false
    }

    fn serve(&self, _: &Address, ready: &dyn Fn(&Address)) -> Result<()> {
        let mut machine = Machine::start(&["serve"])?;
        let port: u16 = machine.hear()?.parse()?;
        ready(&Address::Tcp(([127, 0, 0, 1], port).into()));
        let ended = machine.child.wait()?;
        bail!("java has ended: {ended}")
    }

    fn connect(&self, address: &Address) -> Result<Box<dyn Driver>> {
        let Address::Tcp(socket) = address else { bail!("RMI is not measured at {address}") };
        let mut machine = Machine::start(&["drive", &socket.port().to_string()])?;
        ensure!(machine.hear()? == "ready", "java is not ready");
        Ok(Box::new(machine))
    }
}

/// A virtual machine of Java's that runs `Bench.java`. It ends when what it hears does.
struct Machine {
    child: Child,
    says: ChildStdin,
    hears: Lines<BufReader<ChildStdout>>,
}

impl Machine {
    fn start(arguments: &[&str]) -> Result<Self> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rows/rmi/Bench.java");
        let mut child = Command::new("java")
            // It would leave a file behind if it were killed.
            .arg("-XX:-UsePerfData")
            .arg("-Djava.rmi.server.hostname=127.0.0.1")
            .arg(source)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("java cannot be started")?;
        let says = child.stdin.take().context("java without an input")?;
        let hears = BufReader::new(child.stdout.take().context("java without an output")?).lines();
        Ok(Self { child, says, hears })
    }

    fn hear(&mut self) -> Result<String> {
        Ok(self.hears.next().context("java has ended")??)
    }
}

impl Driver for Machine {
    fn run(&mut self, work: Work, time: Duration) -> Result<Measured> {
        let (name, size) = match work {
            Work::Add => ("add", 0),
            Work::Echo(length) => ("echo", length),
            Work::Sum(length) => ("sum", length),
            Work::Tasks(depth) => ("tasks", depth),
            Work::Member => ("member", 0),
            Work::Callback => ("callback", 0),
            other => bail!("no {other} here"),
        };
        writeln!(self.says, "{name} {size} {}", time.as_nanos())?;
        measured(&self.hear()?)
    }
}

/// What was seen, in words: calls, nanoseconds and, of calls one after the other, two percentiles.
fn measured(line: &str) -> Result<Measured> {
    let figures: Vec<u64> = line.split(' ').map_while(|figure| figure.parse().ok()).collect();
    let [calls, nanoseconds, ref percentiles @ ..] = figures[..] else { bail!("java: {line}") };
    let (p50, p99) = (percentiles.first().copied(), percentiles.get(1).copied());
    Ok(Measured { calls, nanoseconds, p50, p99, ..Measured::default() })
}

/// Whether this machine has Java.
static IS_THERE: LazyLock<bool> = LazyLock::new(|| {
    let mut java = Command::new("java");
    java.arg("-version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    java.status().is_ok_and(|status| status.success())
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_java_says_is_read_or_reported() {
        let bulk = Measured { calls: 7, nanoseconds: 90, ..Measured::default() };
        assert_eq!(measured("7 90").expect("figures"), bulk);
        let sequential = Measured { p50: Some(8), p99: Some(20), ..bulk };
        assert_eq!(measured("7 90 8 20").expect("figures"), sequential);
        let error = measured("failed 2 instead of 3").expect_err("no figures");
        assert_eq!(error.to_string(), "java: failed 2 instead of 3");
    }
}
