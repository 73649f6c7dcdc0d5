//! The means that are compared, and what is known of each without measuring it.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Means {
    PosixMemory,
    SystemVMemory,
    PosixQueue,
    SystemVQueue,
    Pipes,
    Unix,
    Udp,
    Tcp,
    ShmCalls,
    UnixCalls,
    TcpCalls,
    Mailboxes,
}

impl Means {
    pub const ALL: [Self; 12] = [
        Self::PosixMemory,
        Self::SystemVMemory,
        Self::PosixQueue,
        Self::SystemVQueue,
        Self::Pipes,
        Self::Unix,
        Self::Udp,
        Self::Tcp,
        Self::ShmCalls,
        Self::UnixCalls,
        Self::TcpCalls,
        Self::Mailboxes,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::PosixMemory => "shared memory, POSIX",
            Self::SystemVMemory => "shared memory, System V",
            Self::PosixQueue => "message queues, POSIX",
            Self::SystemVQueue => "message queue, System V",
            Self::Pipes => "pipes",
            Self::Unix => "a Unix socket",
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::ShmCalls => "farcall, calls over shm",
            Self::UnixCalls => "farcall, calls over unix",
            Self::TcpCalls => "farcall, calls over tcp",
            Self::Mailboxes => "farcall, mailboxes over shm",
        }
    }

    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|means| means.name() == name)
    }

    /// Where farcall meets, if it is farcall's.
    pub fn scheme(self) -> Option<&'static str> {
        match self {
            Self::ShmCalls | Self::Mailboxes => Some("shm"),
            Self::UnixCalls => Some("unix"),
            Self::TcpCalls => Some("tcp"),
            _ => None,
        }
    }

    pub fn who_synchronizes(self) -> &'static str {
        match self {
            Self::PosixMemory | Self::SystemVMemory => "the two processes, or nobody",
            Self::PosixQueue | Self::SystemVQueue => "the kernel: whole messages, in order",
            Self::Pipes | Self::Unix | Self::Tcp => "the kernel: bytes, in order",
            Self::Udp => "nobody: what finds no room is lost",
            Self::ShmCalls | Self::UnixCalls | Self::TcpCalls => {
                "farcall: calls, in order, answered"
            }
            Self::Mailboxes => "the mailbox: accepted, taken, acked",
        }
    }
}
