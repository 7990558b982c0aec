//! Histories by hand, good and bad, each with its story.
