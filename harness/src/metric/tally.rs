//! Counts over the requests that were asked.

use cma_policies::Request;

use super::{Metric, Value};
use crate::simulate::{Observer, Step};

/// `M` groups of `N` sums.
pub(super) type Sums<const N: usize, const M: usize> = [[u128; N]; M];

/// Adds to its sums at every request that was asked.
pub(super) struct Tally<const N: usize, const M: usize, F> {
    sums: Sums<N, M>,
    add: F,
    values: fn(&Sums<N, M>) -> Vec<Value>,
}

impl<const N: usize, const M: usize, F> Tally<N, M, F>
where
    F: Fn(&Step<'_>, Request, &mut Sums<N, M>),
{
    /// A metric whose values are the sums themselves, group by group.
    pub(super) const fn new(add: F) -> Self {
        let values = |sums: &Sums<N, M>| sums.iter().flatten().copied().map(Value::sum).collect();
        Self { sums: [[0; N]; M], add, values }
    }

    /// A metric with values made of the sums.
    pub(super) const fn with_values(add: F, values: fn(&Sums<N, M>) -> Vec<Value>) -> Self {
        Self { sums: [[0; N]; M], add, values }
    }
}

impl<const N: usize, const M: usize, F> Observer for Tally<N, M, F>
where
    F: Fn(&Step<'_>, Request, &mut Sums<N, M>),
{
    fn step(&mut self, step: &Step<'_>) {
        if let Some(request) = step.request() {
            (self.add)(step, request, &mut self.sums);
        }
    }
}

impl<const N: usize, const M: usize, F> Metric for Tally<N, M, F>
where
    F: Fn(&Step<'_>, Request, &mut Sums<N, M>),
{
    fn values(&self) -> Vec<Value> {
        (self.values)(&self.sums)
    }
}
