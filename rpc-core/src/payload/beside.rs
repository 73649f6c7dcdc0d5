//! Lists that travel beside the values of a frame, and of which the values hold places. Whoever encodes or decodes values opens a scope of
//! its thread; what they hold is added to, or taken from, the list of the innermost one.

use std::{cell::Cell, mem, thread::LocalKey};

/// The innermost scope of a thread: values that hold `O`s are encoded there, or such as hold `I`s decoded.
#[derive(Default)]
pub(crate) enum Scope<O, I> {
    #[default]
    None,
    /// What the values hold so far.
    Out(Vec<O>),
    /// What came with the values and was not claimed.
    In(Vec<Option<I>>),
}

/// Where a thread keeps its innermost scope.
pub(crate) struct Scopes<O: 'static, I: 'static>(pub(crate) &'static LocalKey<Cell<Scope<O, I>>>);

impl<O, I> Scopes<O, I> {
    /// Runs `encode`; what its values hold is added to `list`, unless it fails.
    pub(crate) fn collect_into<E>(
        self,
        list: &mut Vec<O>,
        encode: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        let before = list.len();
        let entered = self.enter(Scope::Out(mem::take(list)));
        let encoded = encode();
        if let Scope::Out(collected) = entered.leave() {
            *list = collected;
        }
        if encoded.is_err() {
            list.truncate(before);
        }
        encoded
    }

    /// Runs `decode`, which may claim each entry of `list` once.
    pub(crate) fn claim_from<T>(self, list: &mut Vec<Option<I>>, decode: impl FnOnce() -> T) -> T {
        let entered = self.enter(Scope::In(mem::take(list)));
        let decoded = decode();
        if let Scope::In(left) = entered.leave() {
            *list = left;
        }
        decoded
    }

    /// Adds to the list that is collected: the place there. `None` where none is.
    pub(crate) fn collect(&self, item: O) -> Option<u32> {
        self.with(|scope| match scope {
            Scope::Out(list) => {
                list.push(item);
                u32::try_from(list.len() - 1).ok()
            }
            _ => None,
        })
    }

    /// What has this place in the list, if it is there and was not claimed before.
    pub(crate) fn claim(&self, index: u32) -> Option<I> {
        self.with(|scope| match scope {
            Scope::In(list) => list.get_mut(usize::try_from(index).ok()?)?.take(),
            _ => None,
        })
    }

    /// Whether values are decoded that something came with.
    pub(crate) fn is_decoding(&self) -> bool {
        self.with(|scope| matches!(scope, Scope::In(_)))
    }

    fn with<T>(&self, look: impl FnOnce(&mut Scope<O, I>) -> T) -> T {
        let mut scope = self.exchange(Scope::None);
        let found = look(&mut scope);
        self.exchange(scope);
        found
    }

    fn enter(self, scope: Scope<O, I>) -> Entered<O, I> {
        let outer = Some(self.exchange(scope));
        Entered { scopes: self, outer }
    }

    /// A thread that ends has no scopes.
    fn exchange(&self, scope: Scope<O, I>) -> Scope<O, I> {
        self.0.try_with(|innermost| innermost.replace(scope)).unwrap_or_default()
    }
}

/// A scope while it is the innermost one. Puts the one around it back, also when a value's own code panics.
struct Entered<O: 'static, I: 'static> {
    scopes: Scopes<O, I>,
    outer: Option<Scope<O, I>>,
}

impl<O, I> Entered<O, I> {
    fn leave(mut self) -> Scope<O, I> {
        self.outer.take().map(|outer| self.scopes.exchange(outer)).unwrap_or_default()
    }
}

impl<O, I> Drop for Entered<O, I> {
    fn drop(&mut self) {
        if let Some(outer) = self.outer.take() {
            self.scopes.exchange(outer);
        }
    }
}
