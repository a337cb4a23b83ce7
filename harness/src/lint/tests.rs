//! Rules against their own examples.
