//! Histories too long for the definition.
