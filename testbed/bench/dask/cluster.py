"""The part of dask.distributed in the contests between nodes: a scheduler, two workers of one thread
in processes of their own, a client. It reads "noop N" or "pinned N SECONDS" and prints "lap NANOSECONDS"; what is
timed is from the submission to when all results are with the client."""
import sys
import time

from distributed import Client, LocalCluster


def noop(i):
    return i + 1


def wait(i, seconds):
    time.sleep(seconds)
    return i + 1


def main():
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50) as cluster, Client(cluster) as client:
        client.wait_for_workers(2)
        first = sorted(client.scheduler_info()["workers"])[0]
        print("ready", flush=True)
        for line in sys.stdin:
            words = line.split()
            n = int(words[1])
            begun = time.perf_counter_ns()
            if words[0] == "noop":
                futures = client.map(noop, range(n), pure=False)
            else:
                futures = client.map(wait, range(n), seconds=float(words[2]), pure=False, workers=[first], allow_other_workers=True)
            results = client.gather(futures)
            took = time.perf_counter_ns() - begun
            if results != [i + 1 for i in range(n)]:
                print("wrong", flush=True)
                return
            del futures
            print("lap", took, flush=True)


if __name__ == "__main__":
    main()
