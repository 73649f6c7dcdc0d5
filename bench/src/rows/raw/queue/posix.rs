//! POSIX message queues.

use anyhow::{Context, Result, bail};
use nix::mqueue::{
    MQ_OFlag, MqAttr, MqdT, mq_attr_member_t, mq_open, mq_receive, mq_send, mq_unlink,
};
use nix::sys::stat::Mode;

use super::{LARGEST, Queue};
use crate::row::{Address, Transport};

pub struct Posix {
    out: MqdT,
    back: MqdT,
}

impl Queue for Posix {
    const NAMES: [&str; 2] = ["raw-posix-mq", "raw-posix-mq-4"];
    const ABOUT: &str = "POSIX message queues, blocking, as deep as the system allows to everybody (fs.mqueue.msg_max)";
    const OVER: &[Transport] = &[Transport::Queue];

    fn open(address: &Address) -> Result<(Self, Address)> {
        let [out, back] = names(address)?;
        let depth = std::fs::read_to_string("/proc/sys/fs/mqueue/msg_max")?.trim().parse()?;
        let attributes = MqAttr::new(0, depth, LARGEST as mq_attr_member_t, 0);
        let create = |name: &str| {
            let flags = MQ_OFlag::O_CREAT | MQ_OFlag::O_EXCL | MQ_OFlag::O_RDWR;
            mq_open(name, flags, Mode::S_IRUSR | Mode::S_IWUSR, Some(&attributes))
                .with_context(|| format!("no POSIX message queue {name}"))
        };
        Ok((Self { out: create(&back)?, back: create(&out)? }, address.clone()))
    }

    fn join(address: &Address) -> Result<Self> {
        let open = |name: &String| {
            let opened = mq_open(name.as_str(), MQ_OFlag::O_RDWR, Mode::empty(), None)?;
            // Both have it: it goes with them.
            mq_unlink(name.as_str())?;
            Ok::<_, anyhow::Error>(opened)
        };
        let [out, back] = &names(address)?;
        Ok(Self { out: open(out)?, back: open(back)? })
    }

    fn send(&self, message: &[u8]) -> Result<()> {
        Ok(mq_send(&self.out, message, 0)?)
    }

    fn receive(&self, into: &mut [u8]) -> Result<usize> {
        Ok(mq_receive(&self.back, into, &mut 0)?)
    }
}

fn names(address: &Address) -> Result<[String; 2]> {
    let Address::Queue(name) = address else { bail!("no queue at {address}") };
    Ok(["out", "back"].map(|end| format!("/{name}-{end}")))
}
