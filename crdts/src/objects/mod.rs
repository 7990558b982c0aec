//! The objects that replicated types implement.
//!
//! An object that holds elements is generic in them: `Set<String>` is a set of texts. Its type is only a name for a
//! specification and holds nothing itself.

/// Declares an object that is generic in what it holds. The derives would ask the same of the parameters, which are never
/// stored.
macro_rules! generic_object {
    ($(#[$doc:meta])* $name:ident<$($parameter:ident),+>) => {
        $(#[$doc])*
        pub struct $name<$($parameter),+>(std::marker::PhantomData<fn() -> ($($parameter,)+)>);

        impl<$($parameter),+> Clone for $name<$($parameter),+> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<$($parameter),+> Copy for $name<$($parameter),+> {}

        impl<$($parameter),+> std::fmt::Debug for $name<$($parameter),+> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }

        impl<$($parameter),+> Default for $name<$($parameter),+> {
            fn default() -> Self {
                Self(std::marker::PhantomData)
            }
        }

        impl<$($parameter),+> PartialEq for $name<$($parameter),+> {
            fn eq(&self, _: &Self) -> bool {
                true
            }
        }

        impl<$($parameter),+> Eq for $name<$($parameter),+> {}
    };
}

pub(crate) use generic_object;

pub mod cart;
pub mod counter;
pub mod flag;
pub mod map;
pub mod max_register;
pub mod mv_register;
pub mod register;
pub mod resettable_counter;
pub mod sequence;
pub mod set;
