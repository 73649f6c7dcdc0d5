//! A serde adapter that counts what decoding materialises.
