//! Numbers and names as columns. `SQLite`'s integers are signed, ours are not.

use crate::StoreError;
use symbolon_fragments::names::Index;

/// A number as a column; numbers from 2^63 on sort as negative, and none of ours comes near.
#[expect(clippy::cast_possible_wrap, reason = "read back by the same cast, whatever its sign")]
pub(crate) const fn column(number: u64) -> i64 {
    number as i64
}

/// A column as a number.
#[expect(clippy::cast_sign_loss, reason = "undoes `column`")]
pub(crate) const fn number(column: i64) -> u64 {
    column as u64
}

/// A column as 32 bytes.
pub(crate) fn hash(column: Vec<u8>) -> Result<[u8; 32], StoreError> {
    column.try_into().map_err(|_| StoreError::Corrupted)
}

/// Members as a column: two bytes each.
pub(crate) fn members_column(members: &[Index]) -> Vec<u8> {
    members.iter().flat_map(|member| member.get().to_be_bytes()).collect()
}

/// A column as members.
pub(crate) fn members_of(column: &[u8]) -> Result<Vec<Index>, StoreError> {
    let (pairs, rest) = column.as_chunks::<2>();
    let members: Option<Vec<_>> = pairs.iter().map(|pair| Index::new(u16::from_be_bytes(*pair))).collect();
    members.filter(|_| rest.is_empty()).ok_or(StoreError::Corrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_survive_their_column() {
        let members: Vec<_> = [1, 300, 65535].into_iter().map(|i| Index::new(i).unwrap()).collect();
        assert_eq!(members_of(&members_column(&members)).unwrap(), members);
        assert!(members_of(&[0, 1, 2]).is_err());
        assert!(members_of(&[0, 0]).is_err());
    }

    #[test]
    fn numbers_survive_their_column() {
        for value in [0, 1, u64::MAX, 1 << 63] {
            assert_eq!(number(column(value)), value);
        }
    }
}
