//! `$(…)`: `+ - * / // % **` and parentheses over numbers and references, as Python counts.

use std::fmt;

use crate::diagnostic::Span;

use crate::value::template::TemplateReference;

/// How many numbers, signs and parentheses an expression may hold, so that evaluating it cannot exhaust the stack.
const MAX_TERMS: usize = 200;

/// An arithmetic expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ArithmeticExpression {
    Number(ArithmeticNumber),
    Reference(TemplateReference),
    Negated(Box<ArithmeticExpression>),
    Binary(Box<ArithmeticExpression>, ArithmeticOperator, Box<ArithmeticExpression>),
    /// One that holds too many terms to be read.
    TooLong,
}

/// A number. A result computed from integers alone stays an integer if it is one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ArithmeticNumber {
    Integer(i64),
    Float(f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArithmeticOperator {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Modulo,
    Power,
}

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ArithmeticError<E> {
    /// A reference could not be resolved.
    #[error("{0}")]
    Reference(E),
    /// A reference is not a number.
    #[error("{0:?} is not a number")]
    NoNumber(String, Span),
    /// The divisor is zero.
    #[error("division by zero")]
    DivisionByZero,
    /// The result is not a number that a machine can hold.
    #[error("the result is out of range")]
    OutOfRange,
    /// It cannot be evaluated in bounded space.
    #[error("it holds more than {MAX_TERMS} numbers, signs and parentheses")]
    TooLong,
}

/// The arithmetic at the beginning of `text`, which stands at `offset` of its value, and its length. None if there is none.
pub(crate) fn parse(text: &str, offset: usize) -> Option<(ArithmeticExpression, usize)> {
    let inner = text.strip_prefix("$(")?;
    let mut parser = ArithmeticParser { rest: inner, offset: offset + 2, terms: 0 };
    match parser.sum().and_then(|sum| parser.sign(")").map(|()| sum)) {
        Some(expression) => Some((expression, parser.offset - offset)),
        None if parser.terms > MAX_TERMS => Some((ArithmeticExpression::TooLong, 2 + closing(inner)?)),
        None => None,
    }
}

/// The length up to the parenthesis that closes the one before the text.
fn closing(text: &str) -> Option<usize> {
    let mut open = 1;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => open += 1,
            b')' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at + 1);
        }
    }
    None
}

struct ArithmeticParser<'a> {
    rest: &'a str,
    offset: usize,
    terms: usize,
}

impl ArithmeticParser<'_> {
    fn advance(&mut self, len: usize) {
        self.rest = &self.rest[len..];
        self.offset += len;
    }

    fn skip_blanks(&mut self) {
        let blanks = self.rest.len() - self.rest.trim_start().len();
        self.advance(blanks);
    }

    /// Takes this sign. None if it does not stand here.
    fn sign(&mut self, sign: &str) -> Option<()> {
        self.skip_blanks();
        self.rest.starts_with(sign).then(|| self.advance(sign.len()))
    }

    fn operator(&mut self, operators: &[(&str, ArithmeticOperator)]) -> Option<ArithmeticOperator> {
        operators.iter().find_map(|(sign, operator)| self.sign(sign).map(|()| *operator))
    }

    fn sum(&mut self) -> Option<ArithmeticExpression> {
        let mut left = self.product()?;
        while let Some(operator) = self.operator(&[("+", ArithmeticOperator::Add), ("-", ArithmeticOperator::Subtract)])
        {
            left = ArithmeticExpression::Binary(Box::new(left), operator, Box::new(self.product()?));
        }
        Some(left)
    }

    fn product(&mut self) -> Option<ArithmeticExpression> {
        // `//` stands before `/`, with which it begins. A `**` never gets here: `signed` takes it first.
        const SIGNS: [(&str, ArithmeticOperator); 4] = [
            ("*", ArithmeticOperator::Multiply),
            ("//", ArithmeticOperator::FloorDivide),
            ("/", ArithmeticOperator::Divide),
            ("%", ArithmeticOperator::Modulo),
        ];
        let mut left = self.signed()?;
        while let Some(operator) = self.operator(&SIGNS) {
            left = ArithmeticExpression::Binary(Box::new(left), operator, Box::new(self.signed()?));
        }
        Some(left)
    }

    /// The sign binds less than the power: `-2 ** 2` is -4.
    fn signed(&mut self) -> Option<ArithmeticExpression> {
        // Each level of recursion goes through here, so this bounds the depth of the stack too.
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return None;
        }
        if self.sign("-").is_some() {
            return Some(ArithmeticExpression::Negated(Box::new(self.signed()?)));
        }
        if self.sign("+").is_some() {
            return self.signed();
        }
        let base = self.primary()?;
        match self.sign("**") {
            // The exponent may have a sign, and powers bind to the right as in Python: 2 ** 3 ** 2 is 512.
            Some(()) => {
                Some(ArithmeticExpression::Binary(Box::new(base), ArithmeticOperator::Power, Box::new(self.signed()?)))
            }
            None => Some(base),
        }
    }

    fn primary(&mut self) -> Option<ArithmeticExpression> {
        if self.sign("(").is_some() {
            let inner = self.sum()?;
            self.sign(")")?;
            return Some(inner);
        }
        if let Some((reference, len)) = TemplateReference::parse(self.rest, self.offset) {
            self.advance(len);
            return Some(ArithmeticExpression::Reference(reference));
        }
        let len = self.rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(self.rest.len());
        let number = ArithmeticNumber::parse(&self.rest[..len])?;
        self.advance(len);
        Some(ArithmeticExpression::Number(number))
    }
}

impl ArithmeticExpression {
    /// Its value. `resolve` gives the text of a reference.
    pub(crate) fn evaluate<E>(
        &self,
        resolve: &mut dyn FnMut(&TemplateReference) -> Result<String, E>,
    ) -> Result<ArithmeticNumber, ArithmeticError<E>> {
        match self {
            ArithmeticExpression::TooLong => Err(ArithmeticError::TooLong),
            ArithmeticExpression::Number(number) => number.in_range(),
            ArithmeticExpression::Reference(reference) => {
                let text = resolve(reference).map_err(ArithmeticError::Reference)?;
                match ArithmeticNumber::parse_signed(text.trim()) {
                    Some(number) => number.in_range(),
                    None => Err(ArithmeticError::NoNumber(text, reference.span)),
                }
            }
            ArithmeticExpression::Negated(inner) => {
                let zero = ArithmeticNumber::Integer(0);
                ArithmeticOperator::Subtract.apply(zero, inner.evaluate(resolve)?)
            }
            ArithmeticExpression::Binary(left, operator, right) => {
                operator.apply(left.evaluate(resolve)?, right.evaluate(resolve)?)
            }
        }
    }
}

impl ArithmeticOperator {
    fn apply<E>(self, left: ArithmeticNumber, right: ArithmeticNumber) -> Result<ArithmeticNumber, ArithmeticError<E>> {
        let divides =
            matches!(self, ArithmeticOperator::Divide | ArithmeticOperator::FloorDivide | ArithmeticOperator::Modulo);
        if divides && right.as_f64() == 0.0 {
            return Err(ArithmeticError::DivisionByZero);
        }
        if let (ArithmeticNumber::Integer(left), ArithmeticNumber::Integer(right)) = (left, right) {
            match self.integers(left, right) {
                Some(Some(result)) => return Ok(ArithmeticNumber::Integer(result)),
                Some(None) => return Err(ArithmeticError::OutOfRange),
                // Not an integer, such as 1 / 2 or 2 ** -1: computed as floats below.
                None => {}
            }
        }
        let result = self.floats(left.as_f64(), right.as_f64());
        if result.is_finite() { Ok(ArithmeticNumber::Float(result)) } else { Err(ArithmeticError::OutOfRange) }
    }

    /// None if the result is not an integer, `Some(None)` if it is an integer that does not fit.
    fn integers(self, left: i64, right: i64) -> Option<Option<i64>> {
        Some(match self {
            ArithmeticOperator::Add => left.checked_add(right),
            ArithmeticOperator::Subtract => left.checked_sub(right),
            ArithmeticOperator::Multiply => left.checked_mul(right),
            // Python would make a float of it, but a whole quotient must be usable as a size or as a count.
            ArithmeticOperator::Divide if left.checked_rem(right) == Some(0) => left.checked_div(right),
            ArithmeticOperator::Divide => return None,
            ArithmeticOperator::FloorDivide => floor_div(left, right),
            ArithmeticOperator::Modulo => floor_mod(left, right),
            ArithmeticOperator::Power => return u32::try_from(right).ok().map(|exponent| left.checked_pow(exponent)),
        })
    }

    fn floats(self, left: f64, right: f64) -> f64 {
        match self {
            ArithmeticOperator::Add => left + right,
            ArithmeticOperator::Subtract => left - right,
            ArithmeticOperator::Multiply => left * right,
            ArithmeticOperator::Divide => left / right,
            ArithmeticOperator::FloorDivide => ((left - floor_rest(left, right)) / right).round(),
            ArithmeticOperator::Modulo => floor_rest(left, right),
            ArithmeticOperator::Power => left.powf(right),
        }
    }
}

/// Rounds towards minus infinity, as Python does.
fn floor_div(left: i64, right: i64) -> Option<i64> {
    let quotient = left.checked_div(right)?;
    let inexact = left % right != 0 && (left < 0) != (right < 0);
    Some(if inexact { quotient - 1 } else { quotient })
}

/// Has the sign of the divisor, as in Python.
fn floor_mod(left: i64, right: i64) -> Option<i64> {
    let rest = left.checked_rem(right)?;
    Some(if rest != 0 && (rest < 0) != (right < 0) { rest + right } else { rest })
}

/// The same of floats. The rest is exact, where a division would round first: `1 // 0.1` is 9.
fn floor_rest(left: f64, right: f64) -> f64 {
    let rest = left % right;
    if rest != 0.0 && (rest < 0.0) != (right < 0.0) { rest + right } else { rest }
}

impl ArithmeticNumber {
    /// The number, unless it was too large to be read.
    fn in_range<E>(self) -> Result<ArithmeticNumber, ArithmeticError<E>> {
        if self.as_f64().is_finite() { Ok(self) } else { Err(ArithmeticError::OutOfRange) }
    }

    /// An unsigned number.
    fn parse(text: &str) -> Option<ArithmeticNumber> {
        if !text.bytes().any(|byte| byte.is_ascii_digit()) {
            return None;
        }
        match text.parse() {
            Ok(integer) => Some(ArithmeticNumber::Integer(integer)),
            // As a float, an integer of more than 64 bits would lose its last digits in silence.
            Err(_) if !text.contains('.') => Some(ArithmeticNumber::Float(f64::INFINITY)),
            Err(_) => text.parse().ok().map(ArithmeticNumber::Float),
        }
    }

    fn parse_signed(text: &str) -> Option<ArithmeticNumber> {
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        match text.strip_prefix('-') {
            // `parse` gives no negative number, so the negation below cannot overflow.
            Some(unsigned) if plain(unsigned) => match ArithmeticNumber::parse(unsigned)? {
                ArithmeticNumber::Integer(integer) => Some(ArithmeticNumber::Integer(-integer)),
                ArithmeticNumber::Float(float) => Some(ArithmeticNumber::Float(-float)),
            },
            None if plain(text) => ArithmeticNumber::parse(text),
            _ => None,
        }
    }

    fn as_f64(self) -> f64 {
        match self {
            ArithmeticNumber::Integer(integer) => integer as f64,
            ArithmeticNumber::Float(float) => float,
        }
    }
}

impl fmt::Display for ArithmeticNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArithmeticNumber::Integer(integer) => integer.fmt(f),
            ArithmeticNumber::Float(float) => float.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluate(text: &str) -> Result<String, String> {
        let (expression, len) = parse(text, 0).ok_or("no arithmetic")?;
        assert_eq!(len, text.len(), "{text}");
        let mut resolve = |reference: &TemplateReference| match reference.name.as_str() {
            "three" => Ok("3".to_owned()),
            "minus" => Ok("-4".to_owned()),
            name => Ok::<String, String>(name.to_owned()),
        };
        expression.evaluate(&mut resolve).map(|number| number.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn counts_as_python_counts() {
        let cases = [
            ("$(1+1)", "2"),
            ("$( 7 - 2 * 3 )", "1"),
            ("$((7 - 2) * 3)", "15"),
            ("$(4/2)", "2"),
            ("$(5/2)", "2.5"),
            ("$(5//2)", "2"),
            ("$(-5//2)", "-3"),
            ("$(-5%3)", "1"),
            ("$(5%-3)", "-1"),
            ("$(5.5 // 2)", "2"),
            ("$(2**3**2)", "512"),
            ("$(-2**2)", "-4"),
            ("$(2**-1)", "0.5"),
            ("$({three} * {minus})", "-12"),
            ("$(0.5 + {three})", "3.5"),
            ("$(10 - 3 - 2)", "5"),
            ("$(1 // 0.1)", "9"),
            ("$(1 % 0.1)", "0.09999999999999995"),
            ("$(-1 // 0.1)", "-10"),
            ("$(-1 % 0.3)", "0.19999999999999996"),
        ];
        for (text, expected) in cases {
            assert_eq!(evaluate(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn an_expression_without_a_value_says_why() {
        assert_eq!(evaluate("$(1/0)"), Err("division by zero".to_owned()));
        assert_eq!(evaluate("$(1%0.0)"), Err("division by zero".to_owned()));
        assert_eq!(evaluate("$(9223372036854775807 + 1)"), Err("the result is out of range".to_owned()));
        assert_eq!(evaluate("$(10 ** 400)"), Err("the result is out of range".to_owned()));
        assert_eq!(evaluate("$(9223372036854775808)"), Err("the result is out of range".to_owned()));
        let long = format!("$(1{})", "+1".repeat(200));
        assert_eq!(evaluate(&long), Err("it holds more than 200 numbers, signs and parentheses".to_owned()));
        assert_eq!(evaluate("$({word} + 1)"), Err("\"word\" is not a number".to_owned()));
    }

    #[test]
    fn invalid_arithmetic_is_not_parsed() {
        for text in ["$()", "$(date)", "$(1 +)", "$(1", "$(1.2.3)", "$(.)", "$((1)", "(1)"] {
            assert_eq!(parse(text, 0), None, "{text}");
        }
        let deep = format!("$({}1{})", "(".repeat(100_000), ")".repeat(100_000));
        assert_eq!(parse(&deep, 0), Some((ArithmeticExpression::TooLong, deep.len())));
        assert_eq!(parse(&deep[..deep.len() - 1], 0), None);
    }

    proptest::proptest! {
        #[test]
        fn no_expression_panics(text in r"\$\(([0-9.+*/%() -]|\{three\}|\{minus\}|9223372036854775807)*\)") {
            if let Some((expression, _)) = parse(&text, 0) {
                let mut resolve = |_: &TemplateReference| Ok::<String, String>("-9223372036854775808".to_owned());
                let _ = expression.evaluate(&mut resolve);
            }
        }
    }
}
