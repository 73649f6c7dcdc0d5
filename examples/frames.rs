//! Images of 1920 x 1080 pixels from one process to another: lent, as a payload from the heap, and as a vector.
//!
//! `cargo run --release --example frames [-- IMAGES]` starts the viewer as a second process. A lent image is written into shared memory
//! and read there: it is copied nowhere on its way. `FARCALL__SERVICES__SCREEN__LISTEN` and `..CONNECT` move it to another transport.
#![allow(clippy::print_stdout, reason = "an example prints")]

use farcall::{Call, Payload, Remote, Server};
use std::{
    collections::VecDeque,
    env,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

/// Bytes of an image: four for each pixel.
const IMAGE: usize = 1920 * 1080 * 4;
/// Images on their way at a time.
const AHEAD: usize = 2;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What the viewer has seen of an image.
#[derive(serde::Serialize, serde::Deserialize)]
struct Seen {
    sum: u64,
    /// It was read in the memory of the process that sent it.
    in_place: bool,
}

#[farcall::remote]
trait Screen {
    async fn show(&self, image: Payload) -> farcall::Result<Seen>;
    async fn show_vector(&self, image: Vec<u8>) -> farcall::Result<Seen>;
}

struct Viewer;

impl Screen for Viewer {
    async fn show(&self, image: Payload) -> farcall::Result<Seen> {
        let mut sum = 0;
        image.for_each_chunk(|bytes| sum += add(bytes));
        Ok(Seen { sum, in_place: image.try_as_slice().is_none() })
    }

    async fn show_vector(&self, image: Vec<u8>) -> farcall::Result<Seen> {
        Ok(Seen { sum: add(&image), in_place: false })
    }
}

fn add(bytes: &[u8]) -> u64 {
    bytes
        .chunks(256)
        .map(|some| some.iter().map(|byte| u32::from(*byte)).sum::<u32>())
        .map(u64::from)
        .sum()
}

/// How images are handed over.
#[derive(Clone, Copy)]
enum By {
    Loan,
    Heap,
    Vector,
}

impl By {
    fn name(self) -> &'static str {
        match self {
            Self::Loan => "a loan",
            Self::Heap => "a payload from the heap",
            Self::Vector => "a vector",
        }
    }

    /// Draws an image and sends it.
    fn send(self, screen: &Remote<dyn Screen>, shade: u8) -> Call<Seen> {
        match self {
            Self::Loan => {
                let mut image = screen.loan(IMAGE);
                image.fill(shade);
                screen.show(image.into())
            }
            Self::Heap => screen.show(vec![shade; IMAGE].into()),
            Self::Vector => screen.show_vector(vec![shade; IMAGE]),
        }
    }

    /// How often the bytes are copied before the viewer reads them. What is read in place came there by being written there, or by one
    /// copy; anything else went through the transport.
    fn copies(self, in_place: bool) -> &'static str {
        match (self, in_place) {
            (Self::Loan, true) => "none",
            (Self::Heap, true) => "1",
            _ => "2 or more",
        }
    }
}

/// Sends images, a few at a time, and checks what was seen of each.
fn stream(screen: &Remote<dyn Screen>, by: By, images: usize) -> Result<(Duration, bool)> {
    let begun = Instant::now();
    let (mut under_way, mut in_place) = (VecDeque::new(), true);
    for number in 0..images + AHEAD {
        if number < images {
            let shade = number as u8;
            under_way.push_back((shade, by.send(screen, shade)));
        }
        if number >= AHEAD
            && let Some((shade, call)) = under_way.pop_front()
        {
            let seen = call.wait()?;
            if seen.sum != u64::from(shade) * IMAGE as u64 {
                return Err(format!("an image of shade {shade} was seen wrong").into());
            }
            in_place &= seen.in_place;
        }
    }
    Ok((begun.elapsed(), in_place))
}

fn run(images: usize) -> Result<()> {
    let mut child = Viewing::start()?;
    let screen = farcall::connect::<dyn Screen>(&child.address()?).wait()?;
    println!("{:<26}{:>10}{:>12}{:>12}", "an image as", "GB/s", "images/s", "copies");
    for by in [By::Loan, By::Heap, By::Vector] {
        stream(&screen, by, AHEAD)?;
        let (time, in_place) = stream(&screen, by, images)?;
        let rate = images as f64 / time.as_secs_f64();
        let bytes = rate * IMAGE as f64 / 1e9;
        println!("{:<26}{bytes:>10.2}{rate:>12.0}{:>12}", by.name(), by.copies(in_place));
    }
    Ok(())
}

/// The viewer's process, which ends with this one.
struct Viewing(Child);

impl Viewing {
    fn start() -> Result<Self> {
        let mut viewer = Command::new(env::current_exe()?);
        viewer.arg("view").stdin(Stdio::piped()).stdout(Stdio::piped());
        Ok(Self(viewer.spawn()?))
    }

    fn address(&mut self) -> Result<String> {
        let mut address = String::new();
        let output = self.0.stdout.take().ok_or("the viewer has no output")?;
        BufReader::new(output).read_line(&mut address)?;
        Ok(address.trim().to_owned())
    }
}

impl Drop for Viewing {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Shows images until the other process ends.
fn view() -> Result<()> {
    let configured = env::var("FARCALL__SERVICES__SCREEN__LISTEN");
    let address = configured.unwrap_or_else(|_| format!("screen-{}", std::process::id()));
    let server = Server::new().export("screen", Remote::<dyn Screen>::new(Viewer));
    let runtime = tokio::runtime::Runtime::new()?;
    let running = runtime.block_on(server.listen(&address).start())?;
    println!("{}", running.addresses()[0]);
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn choose() -> Result<()> {
    match env::args().nth(1).as_deref() {
        Some("view") => view(),
        Some(images) => match images.parse() {
            Ok(images @ 1..) => run(images),
            _ => Err(format!("`{images}` is no number of images: write one from 1 on").into()),
        },
        None => run(200),
    }
}

fn main() -> ExitCode {
    match choose() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("frames: {error}");
            ExitCode::FAILURE
        }
    }
}
