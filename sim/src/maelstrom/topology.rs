//! The neighbours that a `topology` message suggests to replicas of a broadcast.
//!
//! A suggestion is all that it is: every replica can reach every other one, and a program may talk to whom it likes.
//!
//! Invariant: neighbours are mutual, nobody is a neighbour of itself, and every replica can be reached from every other one.
//!
//! ```
//! use sim::maelstrom::topology::Shape;
//! assert_eq!(Shape::Grid.neighbours(5)[1], [0, 2, 4]);
//! assert_eq!(Shape::Line.neighbours(3), [vec![1], vec![0, 2], vec![1]]);
//! ```
//!
//! What is deliberately absent: the network itself, which the scenario describes.

/// A shape of neighbourhood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// Rows of a square, as far as there are replicas.
    #[default]
    Grid,
    /// One after the other.
    Line,
    /// A tree in which everybody has up to this many children.
    Tree(u32),
    /// Everybody with everybody.
    Total,
}

/// All shapes.
pub const SHAPES: &[(&str, &str)] = &[
    ("grid", "rows of a square, as far as there are replicas"),
    ("line", "one after the other"),
    ("tree2", "a tree of two branches"),
    ("tree3", "a tree of three branches"),
    ("tree4", "a tree of four branches"),
    ("total", "everybody with everybody"),
];

impl Shape {
    /// The shapes, in the order of [`SHAPES`].
    pub const ALL: [Self; 6] = [Self::Grid, Self::Line, Self::Tree(2), Self::Tree(3), Self::Tree(4), Self::Total];

    /// For every replica its neighbours, ascending.
    pub fn neighbours(self, replicas: u32) -> Vec<Vec<u32>> {
        let side = (1..=replicas).find(|side| side * side >= replicas).unwrap_or(1);
        let are_linked = |low: u32, high: u32| match self {
            Self::Grid => high - low == side || high - low == 1 && !high.is_multiple_of(side),
            Self::Line => high - low == 1,
            Self::Tree(branches) => (high - 1) / branches == low,
            Self::Total => true,
        };
        let of = |replica: u32| {
            let is_linked = |other: &u32| *other != replica && are_linked(replica.min(*other), replica.max(*other));
            (0..replicas).filter(is_linked).collect()
        };
        (0..replicas).map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_mutual_and_everybody_is_reached() {
        for (shape, replicas) in Shape::ALL.into_iter().flat_map(|shape| (1..30).map(move |replicas| (shape, replicas)))
        {
            let neighbours = shape.neighbours(replicas);
            let mut reached = vec![0_u32];
            let mut next = 0;
            while let Some(&replica) = reached.get(next) {
                for &other in &neighbours[replica as usize] {
                    assert!(other != replica && neighbours[other as usize].contains(&replica));
                    if !reached.contains(&other) {
                        reached.push(other);
                    }
                }
                next += 1;
            }
            assert_eq!(reached.len(), replicas as usize, "{shape:?} of {replicas}");
        }
        assert_eq!(Shape::Tree(2).neighbours(7)[1], [0, 3, 4]);
        assert_eq!(Shape::Total.neighbours(3)[1], [0, 2]);
    }
}
