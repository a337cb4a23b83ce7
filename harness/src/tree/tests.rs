//! Trees of each form.
