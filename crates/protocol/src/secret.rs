//! Secret bytes: wiped on drop, never printed, compared in constant time.

use core::fmt;

use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// `N` secret bytes on the heap, so moving the value leaves no copy behind.
///
/// No `Clone`, no `Serialize`; `Debug` prints the length only; equality is constant-time.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Secret<const N: usize>(Box<[u8; N]>);

impl<const N: usize> Secret<N> {
    /// Filled in place by `fill`, so that no copy is left on the caller's stack.
    pub fn init_with(fill: impl FnOnce(&mut [u8; N])) -> Self {
        let mut secret = Self(Box::new([0; N]));
        fill(&mut secret.0);
        secret
    }

    /// Like [`Secret::init_with`] for a `fill` that can fail; nothing is left behind when it does.
    ///
    /// # Errors
    /// What `fill` returns.
    pub fn try_init_with<E>(fill: impl FnOnce(&mut [u8; N]) -> Result<(), E>) -> Result<Self, E> {
        let mut secret = Self(Box::new([0; N]));
        fill(&mut secret.0)?;
        Ok(secret)
    }

    /// The bytes. The one way to them: search for `expose_secret` to see every use.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret<{N}>(..)")
    }
}

impl<const N: usize> ConstantTimeEq for Secret<N> {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.as_slice().ct_eq(other.0.as_slice())
    }
}

impl<const N: usize> PartialEq for Secret<N> {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl<const N: usize> Eq for Secret<N> {}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_never_shows_the_bytes() {
        let s = Secret::<4>::init_with(|b| b.copy_from_slice(&[0xde, 0xad, 0xbe, 0xef]));
        for text in [format!("{s:?}"), format!("{s:#?}")] {
            for leak in ["222", "173", "de", "ad", "[", "239"] {
                assert!(!text.contains(leak), "{text} shows {leak}");
            }
        }
    }
}
