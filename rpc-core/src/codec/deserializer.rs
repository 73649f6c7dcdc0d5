//! serde's deserializer of postcard's bytes, within a budget. One level of nesting goes through [`Deserializer::nest`].
//!
//! Memory is charged where it is allocated: the elements of a sequence or map all at once, before the first is read,
//! and a boxed value when it turns out larger than the place its parent has for it. Values that are part of another one cost
//! nothing, so flat types are decoded at the price of plain postcard.

use super::{budget::Budget, fault::Fault, input::Input};
use serde::{
    Deserialize,
    de::{self, DeserializeSeed, IntoDeserializer, Visitor},
};

/// Reads values from bytes.
#[derive(Debug)]
pub(super) struct Deserializer<'de> {
    pub(super) input: Input<'de>,
    pub(super) budget: Budget,
    /// Bytes that the parent of the next value has for it, already charged or on the stack.
    room: usize,
}

impl<'de> Deserializer<'de> {
    #[inline]
    pub(super) fn new(bytes: &'de [u8], budget: Budget) -> Self {
        Self { input: Input::new(bytes), budget, room: 0 }
    }

    #[inline]
    pub(super) fn value<T: Deserialize<'de>>(&mut self) -> Result<T, Fault> {
        self.room = size_of::<T>();
        T::deserialize(self)
    }

    /// The next part of a value, for which its parent has room.
    #[inline]
    fn part<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Fault> {
        self.room = size_of::<T::Value>();
        seed.deserialize(self)
    }

    /// Reads a value that contains others.
    #[inline]
    fn nest<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if size_of::<T>() > self.room {
            self.budget.charge(size_of::<T>())?;
        }
        self.budget.enter()?;
        let value = read(self);
        self.budget.leave();
        value
    }

    /// Pays for the `left` elements to come, each of `size` bytes, of which `paid` are paid for. An element of size 0
    /// costs 1, so that no length makes us loop for long. Others have at least one byte each in the input.
    #[inline]
    fn pay(&mut self, size: usize, left: usize, paid: &mut usize) -> Result<(), Fault> {
        let price = size.max(1);
        let Some(due @ 1..) = price.checked_sub(*paid) else { return Ok(()) };
        if size > 0 && left > self.input.left() {
            return Err(Fault::Length);
        }
        *paid = price;
        self.budget.charge(left.checked_mul(due).ok_or(Fault::Memory)?)
    }

    #[inline]
    fn fields<V: Visitor<'de>>(&mut self, count: usize, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_seq(Fields { from: self, left: count })
    }
}

/// Deserializes a number: how it is read, how it is made of what was read, and what the visitor is told.
macro_rules! number {
    ($deserialize:ident, $read:ident, $make:expr, $visit:ident) => {
        #[inline]
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            visitor.$visit($make(self.input.$read()?))
        }
    };
}

/// Undoes the zigzag of a signed number: 0, -1, 1, -2, ..
macro_rules! unzigzag {
    ($signed:ty, $unsigned:ty) => {
        |zigzag: $unsigned| {
            let half = (zigzag >> 1) as $signed;
            if zigzag & 1 == 0 { half } else { !half }
        }
    };
}

impl<'de> de::Deserializer<'de> for &mut Deserializer<'de> {
    type Error = Fault;

    number!(deserialize_i8, byte, u8::cast_signed, visit_i8);
    number!(deserialize_i16, u16, unzigzag!(i16, u16), visit_i16);
    number!(deserialize_i32, u32, unzigzag!(i32, u32), visit_i32);
    number!(deserialize_i64, u64, unzigzag!(i64, u64), visit_i64);
    number!(deserialize_i128, u128, unzigzag!(i128, u128), visit_i128);
    number!(deserialize_u8, byte, u8::from, visit_u8);
    number!(deserialize_u16, u16, u16::from, visit_u16);
    number!(deserialize_u32, u32, u32::from, visit_u32);
    number!(deserialize_u64, u64, u64::from, visit_u64);
    number!(deserialize_u128, u128, u128::from, visit_u128);
    number!(deserialize_f32, array, f32::from_le_bytes, visit_f32);
    number!(deserialize_f64, array, f64::from_le_bytes, visit_f64);
    number!(deserialize_char, char, char::from, visit_char);
    number!(deserialize_str, text, <&'de str>::from, visit_borrowed_str);
    number!(deserialize_bytes, slice, <&'de [u8]>::from, visit_borrowed_bytes);

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }

    #[inline]
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.input.byte()? {
            0 => visitor.visit_bool(false),
            1 => visitor.visit_bool(true),
            _ => Err(Fault::Bool),
        }
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let text = self.input.text()?;
        self.budget.charge(text.len())?;
        visitor.visit_borrowed_str(text)
    }

    #[inline]
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let bytes = self.input.slice()?;
        self.budget.charge(bytes.len())?;
        visitor.visit_borrowed_bytes(bytes)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.input.byte()? {
            0 => visitor.visit_none(),
            1 => self.nest(|from| visitor.visit_some(from)),
            _ => Err(Fault::Option),
        }
    }

    #[inline]
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let mut left = self.input.length()?;
        let value =
            self.nest(|from| visitor.visit_seq(Elements { from, left: &mut left, paid: 0 }))?;
        if left == 0 { Ok(value) } else { Err(Fault::Excess) }
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let mut left = self.input.length()?;
        let value = self.nest(|from| {
            visitor.visit_map(Entries { from, left: &mut left, paid_keys: 0, paid_values: 0 })
        })?;
        if left == 0 { Ok(value) } else { Err(Fault::Excess) }
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        count: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.nest(|from| from.fields(count, visitor))
    }

    #[inline]
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        count: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.nest(|from| from.fields(count, visitor))
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.nest(|from| from.fields(fields.len(), visitor))
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.nest(|from| visitor.visit_enum(from))
    }

    #[cold]
    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Fault> {
        Err(Fault::SelfDescribing)
    }

    serde::forward_to_deserialize_any! { identifier ignored_any }
}

/// The parts of a tuple or struct, which has room for them.
struct Fields<'a, 'de> {
    from: &'a mut Deserializer<'de>,
    left: usize,
}

impl<'de> de::SeqAccess<'de> for Fields<'_, 'de> {
    type Error = Fault;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        self.from.part(seed).map(Some)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// The elements of a sequence.
struct Elements<'a, 'de> {
    from: &'a mut Deserializer<'de>,
    left: &'a mut usize,
    paid: usize,
}

impl<'de> de::SeqAccess<'de> for Elements<'_, 'de> {
    type Error = Fault;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.from.pay(size_of::<T::Value>(), *self.left, &mut self.paid)?;
        *self.left = left;
        self.from.part(seed).map(Some)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some((*self.left).min(self.from.input.left()))
    }
}

/// The entries of a map.
struct Entries<'a, 'de> {
    from: &'a mut Deserializer<'de>,
    left: &'a mut usize,
    paid_keys: usize,
    paid_values: usize,
}

impl<'de> de::MapAccess<'de> for Entries<'_, 'de> {
    type Error = Fault;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        if *self.left == 0 {
            return Ok(None);
        }
        self.from.pay(size_of::<K::Value>(), *self.left, &mut self.paid_keys)?;
        self.from.part(seed).map(Some)
    }

    #[inline]
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Fault> {
        self.from.pay(size_of::<T::Value>(), *self.left, &mut self.paid_values)?;
        *self.left = self.left.saturating_sub(1);
        self.from.part(seed)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some((*self.left).min(self.from.input.left()))
    }
}

impl<'de> de::EnumAccess<'de> for &mut Deserializer<'de> {
    type Error = Fault;
    type Variant = Self;

    #[inline]
    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        let variant = self.input.u32()?;
        let variant = seed.deserialize(variant.into_deserializer())?;
        Ok((variant, self))
    }
}

impl<'de> de::VariantAccess<'de> for &mut Deserializer<'de> {
    type Error = Fault;

    #[inline]
    fn unit_variant(self) -> Result<(), Fault> {
        Ok(())
    }

    #[inline]
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        self.part(seed)
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, count: usize, visitor: V) -> Result<V::Value, Fault> {
        self.fields(count, visitor)
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.fields(fields.len(), visitor)
    }
}
