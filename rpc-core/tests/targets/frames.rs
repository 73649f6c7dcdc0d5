//! Frames: what decodes means something that encodes to the same meaning.

use farcall_core::frame::{Frame, metadata_pairs};

/// Takes the bytes for one frame.
pub fn run(bytes: &[u8]) {
    let Ok(frame) = Frame::decode(bytes) else { return };
    if let Frame::Call(header, arguments) = &frame {
        assert!(bytes.ends_with(arguments));
        let pairs = metadata_pairs(header.metadata);
        let length: usize = pairs.map(|(key, value)| key.len() + value.len()).sum();
        assert!(length <= header.metadata.len());
    }
    let mut again = Vec::new();
    frame.encode(&mut again);
    assert!(again.len() <= bytes.len(), "a frame has no longer form than the one that is sent");
    assert_eq!(Frame::decode(&again), Ok(frame));
}
