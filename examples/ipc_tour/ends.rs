//! Both ends of each of the operating system's means: one process makes it and starts the other, which opens it.

use super::{
    far::Far,
    means::Means,
    system::{PosixMemory, PosixQueue, SystemVMemory, SystemVQueue, Words},
    wires::{Kinds, LENGTH, PosixQueues, Ring, Rings, Streams, Wire},
};
use std::{
    io,
    net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket},
    os::{
        fd::AsFd,
        unix::net::{UnixListener, UnixStream},
    },
    time::Duration,
};

/// How long a datagram is awaited: one that is lost never comes.
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes the means, starts the other process and waits for its first message. None of the names is left.
pub fn near(means: Means) -> io::Result<(Box<dyn Wire>, Far)> {
    let start = |place: &str| Far::start(&["far", means.name(), place]);
    let name = format!("/ipc-tour-{}", std::process::id());
    let (there, back) = queue_names(&name);
    let (wire, far): (Box<dyn Wire>, Far) = match means {
        Means::PosixMemory => {
            let (_name, words) = PosixMemory::create(&name, 2 * Ring::WORDS)?;
            return greeted(Box::new(near_rings(words)), start(&name)?);
        }
        Means::SystemVMemory => {
            let (memory, words) = SystemVMemory::create(2 * Ring::WORDS)?;
            return greeted(Box::new(near_rings(words)), start(&memory.0.to_string())?);
        }
        Means::PosixQueue => {
            let out = PosixQueue::create(&there)?;
            let into = PosixQueue::create(&back)?;
            (Box::new(PosixQueues { out, into }), start(&name)?)
        }
        Means::SystemVQueue => {
            let queue = SystemVQueue::create()?;
            let far = start(&queue.id.to_string())?;
            (Box::new(Kinds { queue, out: 1, into: 2 }), far)
        }
        Means::Pipes => {
            let mut far = start("-")?;
            let (out, into) = far.pipes()?;
            (Box::new(Streams { out, into }), far)
        }
        Means::Unix => {
            let folder = tempfile::tempdir()?;
            let place = folder.path().join("socket");
            let listener = UnixListener::bind(&place)?;
            let far = start(&place.display().to_string())?;
            let socket = listener.accept()?.0;
            (Box::new(Streams { out: socket.try_clone()?, into: socket }), far)
        }
        Means::Tcp => {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let far = start(&listener.local_addr()?.to_string())?;
            (Box::new(stream(listener.accept()?.0)?), far)
        }
        Means::Udp => {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            socket.set_read_timeout(Some(PATIENCE))?;
            let far = start(&socket.local_addr()?.to_string())?;
            let (_, from) = socket.peek_from(&mut [0; LENGTH])?;
            socket.connect(from)?;
            (Box::new(socket), far)
        }
        _ => return Err(io::ErrorKind::Unsupported.into()),
    };
    greeted(wire, far)
}

/// Memory needs its name, or its creator, until the other process has it.
fn greeted(mut wire: Box<dyn Wire>, far: Far) -> io::Result<(Box<dyn Wire>, Far)> {
    wire.receive(&mut [0; LENGTH])?;
    Ok((wire, far))
}

/// Opens what the other process has made, and says so.
pub fn far(means: Means, place: &str) -> io::Result<Box<dyn Wire>> {
    let (there, back) = queue_names(place);
    let number = || place.parse::<i32>().map_err(io::Error::other);
    let mut wire: Box<dyn Wire> = match means {
        Means::PosixMemory => Box::new(far_rings(PosixMemory::open(place, 2 * Ring::WORDS)?)),
        Means::SystemVMemory => {
            Box::new(far_rings(SystemVMemory::open(number()?, 2 * Ring::WORDS)?))
        }
        Means::PosixQueue => {
            let (out, into) = (PosixQueue::open(&back)?, PosixQueue::open(&there)?);
            Box::new(PosixQueues { out, into })
        }
        Means::SystemVQueue => {
            Box::new(Kinds { queue: SystemVQueue::open(number()?), out: 2, into: 1 })
        }
        Means::Pipes => {
            // Both as they are: the standard library's have buffers.
            let into = io::stdin().as_fd().try_clone_to_owned()?;
            let out = io::stdout().as_fd().try_clone_to_owned()?;
            Box::new(Streams { out: io::PipeWriter::from(out), into: io::PipeReader::from(into) })
        }
        Means::Unix => {
            let socket = UnixStream::connect(place)?;
            Box::new(Streams { out: socket.try_clone()?, into: socket })
        }
        Means::Tcp => Box::new(stream(TcpStream::connect(place)?)?),
        Means::Udp => {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            socket.set_read_timeout(Some(PATIENCE))?;
            socket.connect(place)?;
            Box::new(socket)
        }
        _ => return Err(io::ErrorKind::Unsupported.into()),
    };
    wire.send(&[0; LENGTH])?;
    Ok(wire)
}

fn near_rings(words: Words) -> Rings {
    let (out, into) = words.split_at(Ring::WORDS);
    Rings { out: Ring(out), into: Ring(into) }
}

fn far_rings(words: Words) -> Rings {
    let Rings { out, into } = near_rings(words);
    Rings { out: into, into: out }
}

fn queue_names(name: &str) -> (String, String) {
    (format!("{name}-there"), format!("{name}-back"))
}

fn stream(socket: TcpStream) -> io::Result<Streams<TcpStream, TcpStream>> {
    socket.set_nodelay(true)?;
    Ok(Streams { out: socket.try_clone()?, into: socket })
}
