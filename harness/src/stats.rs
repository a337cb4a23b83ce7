//! Numbers over streams.
