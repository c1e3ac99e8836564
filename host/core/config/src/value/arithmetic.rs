//! `$(…)`: `+ - * / // % **` and parentheses over numbers and references, as Python counts.

use std::fmt;

use crate::diagnostic::Span;

use crate::value::template::Reference;

/// How many numbers, signs and parentheses an expression may hold, so that nobody's stack is exhausted by one.
const MAX_TERMS: usize = 200;

/// What stands between the parentheses.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    Number(Number),
    Reference(Reference),
    Negated(Box<Expression>),
    Binary(Box<Expression>, Operator, Box<Expression>),
}

/// A number. What is computed of integers alone stays an integer if it can.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Integer(i64),
    Float(f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
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
    /// A reference is no number.
    #[error("{0:?} is not a number")]
    NoNumber(String, Span),
    /// The divisor is zero.
    #[error("division by zero")]
    DivisionByZero,
    /// The result is no number that a machine can hold.
    #[error("the result is out of range")]
    OutOfRange,
}

/// The arithmetic at the beginning of `text`, which stands at `offset` of its value, and its length. None if there is none.
pub(crate) fn parse(text: &str, offset: usize) -> Option<(Expression, usize)> {
    let inner = text.strip_prefix("$(")?;
    let mut parser = Parser { rest: inner, offset: offset + 2, terms: 0 };
    let expression = parser.sum()?;
    parser.sign(")")?;
    Some((expression, parser.offset - offset))
}

struct Parser<'a> {
    rest: &'a str,
    offset: usize,
    terms: usize,
}

impl Parser<'_> {
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

    fn operator(&mut self, operators: &[(&str, Operator)]) -> Option<Operator> {
        operators.iter().find_map(|(sign, operator)| self.sign(sign).map(|()| *operator))
    }

    fn sum(&mut self) -> Option<Expression> {
        let mut left = self.product()?;
        while let Some(operator) = self.operator(&[("+", Operator::Add), ("-", Operator::Subtract)]) {
            left = Expression::Binary(Box::new(left), operator, Box::new(self.product()?));
        }
        Some(left)
    }

    fn product(&mut self) -> Option<Expression> {
        const SIGNS: [(&str, Operator); 4] = [
            ("*", Operator::Multiply),
            ("//", Operator::FloorDivide),
            ("/", Operator::Divide),
            ("%", Operator::Modulo),
        ];
        let mut left = self.signed()?;
        while let Some(operator) = self.operator(&SIGNS) {
            left = Expression::Binary(Box::new(left), operator, Box::new(self.signed()?));
        }
        Some(left)
    }

    /// The sign binds less than the power: `-2 ** 2` is -4.
    fn signed(&mut self) -> Option<Expression> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return None;
        }
        if self.sign("-").is_some() {
            return Some(Expression::Negated(Box::new(self.signed()?)));
        }
        if self.sign("+").is_some() {
            return self.signed();
        }
        let base = self.primary()?;
        match self.sign("**") {
            Some(()) => Some(Expression::Binary(Box::new(base), Operator::Power, Box::new(self.signed()?))),
            None => Some(base),
        }
    }

    fn primary(&mut self) -> Option<Expression> {
        if self.sign("(").is_some() {
            let inner = self.sum()?;
            self.sign(")")?;
            return Some(inner);
        }
        if let Some((reference, len)) = Reference::parse(self.rest, self.offset) {
            self.advance(len);
            return Some(Expression::Reference(reference));
        }
        let len = self.rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(self.rest.len());
        let number = Number::parse(&self.rest[..len])?;
        self.advance(len);
        Some(Expression::Number(number))
    }
}

impl Expression {
    /// Its value. `resolve` gives the text of a reference.
    pub(crate) fn evaluate<E>(
        &self,
        resolve: &mut dyn FnMut(&Reference) -> Result<String, E>,
    ) -> Result<Number, ArithmeticError<E>> {
        match self {
            Expression::Number(number) => Ok(*number),
            Expression::Reference(reference) => {
                let text = resolve(reference).map_err(ArithmeticError::Reference)?;
                Number::parse_signed(text.trim()).ok_or(ArithmeticError::NoNumber(text, reference.span))
            }
            Expression::Negated(inner) => {
                let zero = Number::Integer(0);
                Operator::Subtract.apply(zero, inner.evaluate(resolve)?)
            }
            Expression::Binary(left, operator, right) => {
                operator.apply(left.evaluate(resolve)?, right.evaluate(resolve)?)
            }
        }
    }
}

impl Operator {
    fn apply<E>(self, left: Number, right: Number) -> Result<Number, ArithmeticError<E>> {
        let divides = matches!(self, Operator::Divide | Operator::FloorDivide | Operator::Modulo);
        if divides && right.as_f64() == 0.0 {
            return Err(ArithmeticError::DivisionByZero);
        }
        if let (Number::Integer(left), Number::Integer(right)) = (left, right) {
            match self.integers(left, right) {
                Some(Some(result)) => return Ok(Number::Integer(result)),
                Some(None) => return Err(ArithmeticError::OutOfRange),
                None => {}
            }
        }
        let result = self.floats(left.as_f64(), right.as_f64());
        if result.is_finite() { Ok(Number::Float(result)) } else { Err(ArithmeticError::OutOfRange) }
    }

    /// None if the result is no integer, `Some(None)` if it is one that does not fit.
    fn integers(self, left: i64, right: i64) -> Option<Option<i64>> {
        Some(match self {
            Operator::Add => left.checked_add(right),
            Operator::Subtract => left.checked_sub(right),
            Operator::Multiply => left.checked_mul(right),
            Operator::Divide if left.checked_rem(right) == Some(0) => left.checked_div(right),
            Operator::Divide => return None,
            Operator::FloorDivide => floor_div(left, right),
            Operator::Modulo => floor_mod(left, right),
            Operator::Power => return u32::try_from(right).ok().map(|exponent| left.checked_pow(exponent)),
        })
    }

    fn floats(self, left: f64, right: f64) -> f64 {
        match self {
            Operator::Add => left + right,
            Operator::Subtract => left - right,
            Operator::Multiply => left * right,
            Operator::Divide => left / right,
            Operator::FloorDivide => (left / right).floor(),
            Operator::Modulo => left - right * (left / right).floor(),
            Operator::Power => left.powf(right),
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

impl Number {
    /// An unsigned number.
    fn parse(text: &str) -> Option<Number> {
        if !text.bytes().any(|byte| byte.is_ascii_digit()) {
            return None;
        }
        match text.parse() {
            Ok(integer) => Some(Number::Integer(integer)),
            Err(_) => text.parse().ok().filter(|float: &f64| float.is_finite()).map(Number::Float),
        }
    }

    fn parse_signed(text: &str) -> Option<Number> {
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        match text.strip_prefix('-') {
            Some(unsigned) if plain(unsigned) => match Number::parse(unsigned)? {
                Number::Integer(integer) => Some(Number::Integer(-integer)),
                Number::Float(float) => Some(Number::Float(-float)),
            },
            None if plain(text) => Number::parse(text),
            _ => None,
        }
    }

    fn as_f64(self) -> f64 {
        match self {
            Number::Integer(integer) => integer as f64,
            Number::Float(float) => float,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Integer(integer) => integer.fmt(f),
            Number::Float(float) => float.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluate(text: &str) -> Result<String, String> {
        let (expression, len) = parse(text, 0).ok_or("no arithmetic")?;
        assert_eq!(len, text.len(), "{text}");
        let mut resolve = |reference: &Reference| match reference.name.as_str() {
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
        ];
        for (text, expected) in cases {
            assert_eq!(evaluate(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_has_no_value_says_why() {
        assert_eq!(evaluate("$(1/0)"), Err("division by zero".to_owned()));
        assert_eq!(evaluate("$(1%0.0)"), Err("division by zero".to_owned()));
        assert_eq!(evaluate("$(9223372036854775807 + 1)"), Err("the result is out of range".to_owned()));
        assert_eq!(evaluate("$(10 ** 400)"), Err("the result is out of range".to_owned()));
        assert_eq!(evaluate("$({word} + 1)"), Err("\"word\" is not a number".to_owned()));
    }

    #[test]
    fn what_is_no_arithmetic_is_none() {
        for text in ["$()", "$(date)", "$(1 +)", "$(1", "$(1.2.3)", "$(.)", "$((1)", "(1)"] {
            assert_eq!(parse(text, 0), None, "{text}");
        }
        let deep = format!("$({}1{})", "(".repeat(100_000), ")".repeat(100_000));
        assert_eq!(parse(&deep, 0), None);
    }

    proptest::proptest! {
        #[test]
        fn no_expression_panics(text in r"\$\(([0-9.+*/%() -]|\{three\}|\{minus\}|9223372036854775807)*\)") {
            if let Some((expression, _)) = parse(&text, 0) {
                let mut resolve = |_: &Reference| Ok::<String, String>("-9223372036854775808".to_owned());
                let _ = expression.evaluate(&mut resolve);
            }
        }
    }
}
