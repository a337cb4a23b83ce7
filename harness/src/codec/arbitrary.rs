//! Cases for those who fuzz by type: the same bytes, the same cases.

use arbitrary::{Arbitrary, Result, Unstructured};

use super::{Case, HEADER, MAX_ACTS, RECORD};

impl<'a> Arbitrary<'a> for Case {
    /// The case that all bytes that are left make.
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let most = HEADER + MAX_ACTS * RECORD;
        Ok(Self::decode(bytes.bytes(bytes.len().min(most))?))
    }

    fn arbitrary_take_rest(bytes: Unstructured<'a>) -> Result<Self> {
        Ok(Self::decode(bytes.take_rest()))
    }

    fn size_hint(_: usize) -> (usize, Option<usize>) {
        (0, Some(HEADER + MAX_ACTS * RECORD))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn bytes_are_the_same_case_by_type_as_by_codec() {
        let mut draws = Seed::new(6).child("arbitrary", 0).rng();
        for _ in 0..200 {
            let bytes = Case::draw(&mut draws, 30).encode();
            let case = Case::decode(&bytes);
            assert!(!case.acts.is_empty());
            let mut left = Unstructured::new(&bytes);
            assert_eq!(Case::arbitrary(&mut left), Ok(case.clone()));
            assert!(left.is_empty());
            assert_eq!(Case::arbitrary_take_rest(Unstructured::new(&bytes)), Ok(case));
        }
        assert_eq!(Case::arbitrary(&mut Unstructured::new(&[])), Ok(Case::decode(&[])));
    }
}
