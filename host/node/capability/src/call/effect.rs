//! The result of an effect: its value, and whether it changed anything.

/// The value of a capability call that succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect<T> {
    /// Something was changed. It is counted, so that a rollback undoes the step.
    Touched(T),
    /// Nothing was changed: the call only read, or found everything as wanted.
    Nothing(T),
}

impl<T> Effect<T> {
    /// [`Effect::Touched`] if `touched`.
    pub(crate) fn of(touched: bool, value: T) -> Effect<T> {
        if touched { Effect::Touched(value) } else { Effect::Nothing(value) }
    }

    /// The effect of a call that mutates or reads as its permit says, such as a request or a program.
    pub(crate) fn by(access: grant::Access, value: T) -> Effect<T> {
        Effect::of(access == grant::Access::Mutate, value)
    }
}

impl Effect<bool> {
    /// The effect of a function that returns whether it found anything to do.
    pub(crate) fn whether(touched: bool) -> Effect<bool> {
        Effect::of(touched, touched)
    }
}
