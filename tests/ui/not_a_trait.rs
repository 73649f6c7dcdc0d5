//! The attribute above other things.

#[farcall::remote]
pub struct Archive;

struct Shelf;

#[farcall::remote]
impl Shelf {}

fn main() {}
