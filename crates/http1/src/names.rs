//! Names of fields compared without regard to case, many at a time: most that differ are told apart by one bit.
//! Not here: which names there are.

/// A number below 64 that many names have in common. The same for each way to write a name, and for `_` in the place of `-`,
/// as variables have it.
pub(crate) const fn mark(name: &[u8]) -> u8 {
    match name {
        [first, .., last] => ((name.len() + 3 * folded(*first) + folded(*last)) % 64) as u8,
        _ => 0,
    }
}

const fn folded(byte: u8) -> usize {
    match byte {
        b'_' => b'-' as usize,
        byte => (byte | 0x20) as usize,
    }
}

/// Whether `variable` (lower case, `_` for `-`) is the variable of the field `name`.
pub fn is_variable_of(variable: &str, name: &[u8]) -> bool {
    let same = |(a, b): (&u8, u8)| a.to_ascii_lowercase() == b || (*a == b'-' && b == b'_');
    name.len() == variable.len() && name.iter().zip(variable.bytes()).all(same)
}

/// A set of names.
#[derive(Debug, Clone)]
pub struct Names<T> {
    names: T,
    /// A bit for each mark that a name has.
    marks: u64,
}

impl Names<&'static [&'static str]> {
    /// The set of names that are known when the program is built.
    pub const fn known(names: &'static [&'static str]) -> Self {
        let (mut marks, mut at) = (0, 0);
        while at < names.len() {
            marks |= 1 << mark(names[at].as_bytes());
            at += 1;
        }
        Self { names, marks }
    }
}

impl From<Vec<Box<str>>> for Names<Vec<Box<str>>> {
    fn from(names: Vec<Box<str>>) -> Self {
        let marks = names.iter().fold(0, |marks, name| marks | 1 << mark(name.as_bytes()));
        Self { names, marks }
    }
}

impl<T> Names<T> {
    /// Whether the name is in the set.
    #[inline]
    pub fn contain<N: AsRef<str>>(&self, name: &[u8]) -> bool
    where
        T: AsRef<[N]>,
    {
        self.find(mark(name), name).is_some()
    }

    #[inline]
    pub(crate) fn find<N: AsRef<str>>(&self, mark: u8, name: &[u8]) -> Option<usize>
    where
        T: AsRef<[N]>,
    {
        if self.marks & 1 << mark == 0 { None } else { position(self.names.as_ref(), name) }
    }
}

fn position<N: AsRef<str>>(names: &[N], name: &[u8]) -> Option<usize> {
    names.iter().position(|known| name.eq_ignore_ascii_case(known.as_ref().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_however_they_are_written() {
        const NAMES: Names<&[&str]> = Names::known(&["host", "x-forwarded-for", "t", ""]);
        let places = ["HOST", "X-Forwarded-For", "T", "", "hose", "x-forwarded-far", "hst"].map(str::as_bytes);
        let found = places.map(|name| NAMES.find(mark(name), name));
        assert_eq!(found, [Some(0), Some(1), Some(2), Some(3), None, None, None]);
        assert!(Names::from(vec![Box::from("te")]).contain(b"TE"));
    }

    #[test]
    fn a_variable_has_the_mark_of_its_field() {
        assert_eq!(mark(b"User-Agent"), mark(b"user_agent"));
        assert_eq!(mark(b"-a-"), mark(b"_A_"));
        assert!(is_variable_of("x_forwarded_for", b"X-Forwarded-For"));
        assert!(!is_variable_of("x_forwarded_for", b"X-Forwarded"));
    }
}
