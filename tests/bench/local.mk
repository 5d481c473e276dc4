# Load generator, sinks and the benchmark that uses them.
