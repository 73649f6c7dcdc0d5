//! Two builds of one interface in two processes: methods are added and reordered, and either side may be the older one.

#[allow(dead_code, reason = "the suite uses all of it")]
#[path = "conformance/place.rs"]
mod place;

use farcall::{Error, ErrorKind, Remote, Result, Server};
use place::{several_threads, threads};
use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

/// Which build a process of this test's executable serves.
const BUILD: &str = "FARCALL_TEST_BUILD";

mod older {
    use farcall::{Remote, Result};

    #[farcall::remote]
    pub(crate) trait Page {
        async fn text(&self) -> Result<String>;
        async fn number(&self) -> Result<u32>;
    }

    #[farcall::remote]
    pub(crate) trait Book {
        async fn open(&self, number: u32) -> Result<Remote<dyn Page>>;
        async fn read(&self, page: Remote<dyn Page>) -> Result<String>;
    }
}

mod newer {
    use farcall::{Remote, Result};

    #[farcall::remote]
    pub(crate) trait Page {
        async fn words(&self) -> Result<u32>;
        async fn number(&self) -> Result<u32>;
        async fn text(&self) -> Result<String>;
    }

    #[farcall::remote]
    pub(crate) trait Book {
        async fn pages(&self) -> Result<u32>;
        async fn read(&self, page: Remote<dyn Page>) -> Result<String>;
        async fn open(&self, number: u32) -> Result<Remote<dyn Page>>;
    }
}

struct Paper(u32);

impl older::Page for Paper {
    async fn text(&self) -> Result<String> {
        Ok("old words".to_owned())
    }
    async fn number(&self) -> Result<u32> {
        Ok(self.0)
    }
}

impl older::Book for Paper {
    async fn open(&self, number: u32) -> Result<Remote<dyn older::Page>> {
        Ok(Remote::new(Self(number)))
    }
    async fn read(&self, page: Remote<dyn older::Page>) -> Result<String> {
        use older::Page as _;
        Ok(format!("{}: {}", page.number().await?, page.text().await?))
    }
}

impl newer::Page for Paper {
    async fn words(&self) -> Result<u32> {
        Ok(2)
    }
    async fn number(&self) -> Result<u32> {
        Ok(self.0)
    }
    async fn text(&self) -> Result<String> {
        Ok("new words".to_owned())
    }
}

impl newer::Book for Paper {
    async fn pages(&self) -> Result<u32> {
        Ok(self.0)
    }
    async fn read(&self, page: Remote<dyn newer::Page>) -> Result<String> {
        use newer::Page as _;
        Ok(format!("{}: {} words", page.number().await?, page.words().await?))
    }
    async fn open(&self, number: u32) -> Result<Remote<dyn newer::Page>> {
        Ok(Remote::new(Self(number)))
    }
}

/// The process that serves one of the builds. Nothing, if it was not told.
#[test]
fn serves_the_build_that_it_is_told() {
    let Ok(build) = env::var(BUILD) else { return };
    threads().block_on(async move {
        let server = match &*build {
            "older" => Server::new().export("book", Remote::<dyn older::Book>::new(Paper(9))),
            _ => Server::new().export("book", Remote::<dyn newer::Book>::new(Paper(9))),
        };
        let running = server.listen("tcp://127.0.0.1:0").start().await.expect("a free port");
        println!("serves at {}", running.address());
        panic!("{}", running.failed().await);
    });
}

/// A process that serves one of the builds, and where. It is killed when this is dropped.
struct Process(Child, String);

impl Process {
    fn serving(build: &str) -> Self {
        let own = env::current_exe().expect("this test has a path");
        let mut child = Command::new(own)
            .args(["--exact", "serves_the_build_that_it_is_told", "--nocapture"])
            .env(BUILD, build)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut lines = lines.map_while(std::result::Result::ok);
        let address = lines.find_map(|line| Some(line.split_once("serves at ")?.1.to_owned()));
        Self(child, address.expect("it serves"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().expect("it is ours");
        self.0.wait().expect("it is ours");
    }
}

#[track_caller]
fn assert_missing<T: std::fmt::Debug>(result: Result<T>, text: &str) {
    let error: Error = result.expect_err("the other build has none");
    assert_eq!((error.kind(), error.text()), (ErrorKind::Unimplemented, text));
}

#[test]
fn a_newer_client_talks_to_an_older_process() {
    several_threads(async {
        use newer::{Book as _, Page as _};
        let process = Process::serving("older");
        let book = farcall::connect::<dyn newer::Book>(&process.1).await.expect("it listens");
        let page = book.open(3).await.expect("it opens");
        assert_eq!((page.number().await, page.text().await), (Ok(3), Ok("old words".to_owned())));
        assert_eq!(book.read(Remote::new(Paper(4))).await, Ok("4: new words".to_owned()));
        assert_eq!(book.open(5).number().await, Ok(5), "in one round trip too");
        assert_missing(
            book.pages().await,
            "`Book` on the other side has no method `pages`, its build is older or newer: it has open, read; this build has \
             pages, read, open",
        );
        assert_missing(
            page.words().await,
            "`Page` on the other side has no method `words`, its build is older or newer: it has text, number; this build has \
             words, number, text",
        );
    });
}

#[test]
fn an_older_client_talks_to_a_newer_process() {
    several_threads(async {
        use older::{Book as _, Page as _};
        let process = Process::serving("newer");
        let book = farcall::connect::<dyn older::Book>(&process.1).await.expect("it listens");
        let page = book.open(3).await.expect("it opens");
        assert_eq!((page.number().await, page.text().await), (Ok(3), Ok("new words".to_owned())));
        assert_eq!(book.read(page).await, Ok("3: 2 words".to_owned()));
        assert_missing(
            book.read(Remote::new(Paper(4))).await,
            "`Page` on the other side has no method `words`, its build is older or newer: it has text, number; this build has \
             words, number, text",
        );
    });
}
