//! The guard: what a caller may make us touch.
