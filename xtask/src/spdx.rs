//! Licence expressions (SPDX 2.3 annex D): whether an allow-list satisfies one.

/// Whether `expression` can be complied with using only `allowed` licences. `WITH` binds to the licence before
/// it, `AND` before `OR`; the old `A/B` reads as `A OR B`. An expression that does not parse is refused.
pub(crate) fn satisfied(expression: &str, allowed: &[String]) -> bool {
    let text = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let tokens: Vec<&str> = text.split_whitespace().collect();
    let mut parser = Parser { tokens: &tokens, at: 0, allowed };
    parser.any() == Some(true) && parser.at == tokens.len()
}

struct Parser<'a> {
    tokens: &'a [&'a str],
    at: usize,
    allowed: &'a [String],
}

impl Parser<'_> {
    fn take(&mut self, word: &str) -> bool {
        let here = self.tokens.get(self.at) == Some(&word);
        self.at += usize::from(here);
        here
    }

    fn any(&mut self) -> Option<bool> {
        let mut ok = self.all()?;
        while self.take("OR") {
            ok |= self.all()?;
        }
        Some(ok)
    }

    fn all(&mut self) -> Option<bool> {
        let mut ok = self.one()?;
        while self.take("AND") {
            ok &= self.one()?;
        }
        Some(ok)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let ok = self.any()?;
            return self.take(")").then_some(ok);
        }
        let mut licence =
            self.tokens.get(self.at).filter(|t| !["OR", "AND", "WITH", ")"].contains(t))?.to_string();
        self.at += 1;
        if self.take("WITH") {
            licence = format!("{licence} WITH {}", self.tokens.get(self.at)?);
            self.at += 1;
        }
        Some(self.allowed.contains(&licence))
    }
}

#[cfg(test)]
mod tests {
    use super::satisfied;

    fn ok(expression: &str) -> bool {
        let allowed = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
        satisfied(expression, &allowed)
    }

    #[test]
    fn one_side_of_or_is_enough_and_both_of_and_are_needed() {
        for good in [
            "MIT",
            "GPL-3.0 OR MIT",
            "MIT/Apache-2.0",
            "MIT AND ISC",
            "(GPL-3.0 OR MIT) AND ISC",
            "Apache-2.0 WITH LLVM-exception AND MIT",
        ] {
            assert!(ok(good), "{good}");
        }
        for bad in [
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "Apache-2.0",
            "MIT AND (GPL-3.0 OR BSD-3-Clause)",
            "",
            "MIT OR",
            "(MIT",
            "MIT)",
            "MIT ISC",
        ] {
            assert!(!ok(bad), "{bad}");
        }
    }

    #[test]
    fn and_binds_before_or() {
        assert!(ok("MIT OR GPL-3.0 AND GPL-2.0"));
        assert!(!ok("GPL-3.0 OR MIT AND GPL-2.0"));
    }
}
