// fib(n) without cut-off in oneTBB's two fork-join forms, timed as the Go side
// times its contenders: a warm-up, then laps until they have taken the budget.
//
//   fib FORM N THREADS MAX_LAPS BUDGET_NS
//
// prints "version V", then a line "lap NANOSECONDS VALUE" for each lap.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <tbb/global_control.h>
#include <tbb/parallel_invoke.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>
#include <tbb/version.h>

static long fib_task_group(int n) {
  if (n < 2) return n;
  long a, b;
  tbb::task_group group;
  group.run([&a, n] { a = fib_task_group(n - 1); });
  b = fib_task_group(n - 2);
  group.wait();
  return a + b;
}

static long fib_parallel_invoke(int n) {
  if (n < 2) return n;
  long a, b;
  tbb::parallel_invoke([&a, n] { a = fib_parallel_invoke(n - 1); },
                       [&b, n] { b = fib_parallel_invoke(n - 2); });
  return a + b;
}

int main(int argc, char **argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: fib task_group|parallel_invoke N THREADS MAX_LAPS BUDGET_NS\n");
    return 2;
  }
  long (*fib)(int);
  if (std::strcmp(argv[1], "task_group") == 0) {
    fib = fib_task_group;
  } else if (std::strcmp(argv[1], "parallel_invoke") == 0) {
    fib = fib_parallel_invoke;
  } else {
    std::fprintf(stderr, "unknown form %s\n", argv[1]);
    return 2;
  }
  const int n = std::atoi(argv[2]);
  const int threads = std::atoi(argv[3]);
  const int max_laps = std::atoi(argv[4]);
  const long long budget = std::atoll(argv[5]);

  tbb::global_control limit(tbb::global_control::max_allowed_parallelism, threads);
  tbb::task_arena arena(threads);
  std::printf("version %s\n", TBB_runtime_version());

  arena.execute([&] { fib(n); });
  long long total = 0;
  for (int lap = 0; lap < max_laps && total < budget; lap++) {
    long value = 0;
    const auto start = std::chrono::steady_clock::now();
    arena.execute([&] { value = fib(n); });
    const auto stop = std::chrono::steady_clock::now();
    const long long ns = std::chrono::duration_cast<std::chrono::nanoseconds>(stop - start).count();
    total += ns;
    std::printf("lap %lld %ld\n", ns, value);
  }
  return 0;
}
