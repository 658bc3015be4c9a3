//! How a limit that must be exact is divided among workers that share nothing.

/// The part of `limit` that `worker` (from 0) of `workers` may use. Zero means no limit and stays zero.
///
/// Parts sum to the limit, but each worker gets at least 1: a worker that may do nothing would fail every request that the
/// kernel gives it. A limit below the number of workers is therefore exceeded by the difference.
pub fn of(limit: u32, worker: usize, workers: usize) -> u32 {
    if limit == 0 {
        return 0;
    }
    let workers = u32::try_from(workers.max(1)).unwrap_or(u32::MAX);
    let extra = u32::from(u32::try_from(worker).unwrap_or(u32::MAX) < limit % workers);
    (limit / workers + extra).max(1)
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn parts_sum_to_the_limit() {
        for workers in 1..9 {
            for limit in workers as u32..50 {
                let sum: u32 = (0..workers).map(|worker| of(limit, worker, workers)).sum();
                assert_eq!(sum, limit, "{limit} among {workers}");
            }
        }
    }

    #[test]
    fn every_worker_may_do_something_and_no_limit_stays_none() {
        assert_eq!((0..4).map(|worker| of(2, worker, 4)).collect::<Vec<_>>(), [1, 1, 1, 1]);
        assert_eq!(of(0, 0, 4), 0);
    }
}
