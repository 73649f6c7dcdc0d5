//! References that come with a frame, and the interfaces that the peer describes for them.

use super::{Connection, Event, Reference, handle::breach, serving::Answered};
use crate::{
    error::{Error, ErrorKind},
    frame::{Descriptor, References},
    id::ObjectId,
};
use std::time::Instant;

impl<S: Clone> Connection<S> {
    /// Takes the references of a frame: what is borrowed is counted.
    pub(super) fn take_references(
        &mut self,
        references: References<'_>,
    ) -> Result<Vec<Reference<S>>, Error> {
        references.descriptors().map(|descriptor| self.take(descriptor)).collect()
    }

    /// Gives the references of a frame that concerns nobody back at once.
    pub(super) fn decline(
        &mut self,
        now: Instant,
        references: References<'_>,
    ) -> Result<(), Error> {
        for descriptor in references.descriptors() {
            if let Descriptor::Mine(object, interface) = descriptor {
                self.check_interface(interface)?;
                self.released.push((object, 1));
            }
        }
        self.linger(now);
        Ok(())
    }

    fn take(&mut self, descriptor: Descriptor) -> Result<Reference<S>, Error> {
        Ok(match descriptor {
            Descriptor::Null => broken("the reference led nowhere any more when it was sent"),
            Descriptor::Mine(object, interface) => {
                self.check_interface(interface)?;
                self.borrow_object(object)?;
                Reference::Borrowed(object, interface)
            }
            Descriptor::Yours(object) => match self.exports.get(object) {
                Some(Ok(home)) => Reference::Home(home.clone()),
                Some(Err(error)) => Reference::Broken(error.clone()),
                None => broken("the peer sent a reference to an object that it does not hold"),
            },
            Descriptor::YourAnswer(call) => match self.serving.answer(call) {
                Answered::NotYet => Reference::Answer(call),
                Answered::Object(home) => Reference::Home(home),
                Answered::Failed(error) => Reference::Broken(error),
                Answered::Unknown => broken("the peer sent the answer to a call that it finished"),
            },
        })
    }

    /// Counts one more reference to an object of the peer.
    pub(super) fn borrow_object(&mut self, object: ObjectId) -> Result<(), Error> {
        let taken = self.imports.insert(object);
        taken.map_err(|_| breach(format!("the peer lent {object} while its slot was in use")))?;
        if self.imports.len() > self.limits.objects {
            return Err(breach(format!(
                "the peer lent more than {} objects on one connection",
                self.limits.objects
            )));
        }
        Ok(())
    }

    fn check_interface(&self, interface: u32) -> Result<(), Error> {
        if interface >= self.interfaces.0 {
            return Err(breach("the peer lent an object whose interface it has not described"));
        }
        Ok(())
    }

    /// The peer describes an interface, before it lends an object that has it.
    pub(super) fn handle_interface(
        &mut self,
        bytes: &[u8],
        description: &[u8],
    ) -> Result<Event<S>, Error> {
        let (count, size) = self.interfaces;
        let size = size.saturating_add(description.len());
        let (most, bytes_most) = (self.limits.interfaces, self.limits.interface_bytes);
        if count as usize >= most || size > bytes_most {
            return Err(breach(format!(
                "the peer described more than {most} interfaces, or in more than {bytes_most} bytes"
            )));
        }
        self.interfaces = (count.saturating_add(1), size);
        Ok(Event::Interface(bytes.len().saturating_sub(description.len())))
    }
}

fn broken<S>(text: &'static str) -> Reference<S> {
    Reference::Broken(Error::of(ErrorKind::Broken, text))
}
