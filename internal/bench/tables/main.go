// Tables measures everything that the tables of README.md say, and writes them anew, with the
// machine and the date: go run ./tables, in internal/bench, as root. The output of the
// benchmarks stays in results.txt; with -again the tables are written from there. It fails if
// a bar is missed.
package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

const results, readme = "results.txt", "README.md"

func main() {
	again := flag.Bool("again", false, "do not measure; write the tables from "+results)
	flag.Parse()
	if err := tables(*again); err != nil {
		fmt.Fprintln(os.Stderr, "tables:", err)
		os.Exit(1)
	}
}

func tables(again bool) error {
	if !again {
		if err := measure(); err != nil {
			return err
		}
	}
	measured, err := os.ReadFile(results)
	if err != nil {
		return err
	}
	page, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	page, missed, err := Render(page, measured)
	if err == nil {
		err = os.WriteFile(readme, page, 0o644)
	}
	if err == nil && len(missed) > 0 {
		err = fmt.Errorf("bars missed: %s", strings.Join(missed, "; "))
	}
	return err
}

// measure runs the benchmarks, and the count of system calls.
func measure() error {
	var out bytes.Buffer
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return err
	}
	fmt.Fprintf(&out, "%s, Linux %s, %s, %d cores\n", time.Now().Format(time.DateOnly), strings.TrimSpace(string(kernel)), runtime.Version(), runtime.NumCPU())
	args := [][]string{{"-test.run=TestCalls$", "-test.v"}}
	for _, r := range runs {
		args = append(args, []string{"-test.run=^$", "-test.bench=" + r.bench, "-test.benchtime=" + r.benchtime})
	}
	dir, err := os.MkdirTemp("", "lowport-tables")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program := dir + "/bench.test"
	build := exec.Command("go", "test", "-c", "-o", program, ".")
	build.Env, build.Stderr = append(os.Environ(), "CGO_ENABLED=0"), os.Stderr
	if err := build.Run(); err != nil {
		return err
	}
	for _, a := range args {
		cmd := exec.Command(program, a...)
		cmd.Env, cmd.Stderr = append(os.Environ(), "LOWPORT_LAB=require"), os.Stderr
		b, err := cmd.Output()
		os.Stdout.Write(b)
		if err != nil {
			return fmt.Errorf("%v: %w", a, err)
		}
		for line := range bytes.Lines(b) {
			if useful.Match(line) {
				out.Write(bytes.TrimLeft(line, " "))
			}
		}
	}
	return os.WriteFile(results, out.Bytes(), 0o644)
}

// useful are the lines of the output that are kept.
var useful = regexp.MustCompile(`^(Benchmark\S+\s+\d+\s|cpu:| +calls_test.go)`)

// Render writes the tables into the page between their marks, and names the bars that are missed.
func Render(page, measured []byte) (_ []byte, missed []string, err error) {
	found := map[string]float64{}
	var machine, cpu string
	var calls []string
	lines := bufio.NewScanner(bytes.NewReader(measured))
	for lines.Scan() {
		line := lines.Text()
		fields := strings.Fields(line)
		switch {
		case machine == "":
			machine = line
		case strings.HasPrefix(line, "cpu:"):
			cpu = strings.TrimSpace(strings.TrimPrefix(line, "cpu:"))
		case strings.HasPrefix(line, "calls_test.go"):
			_, said, _ := strings.Cut(line, ": ")
			calls = append(calls, said)
		case strings.HasPrefix(line, "Benchmark"):
			name := ofCores.ReplaceAllString(strings.TrimPrefix(fields[0], "Benchmark"), "")
			for i := 2; i+1 < len(fields); i += 2 {
				v, err := strconv.ParseFloat(fields[i], 64)
				if err != nil {
					return nil, nil, fmt.Errorf("%q: %w", line, err)
				}
				found[name+" "+fields[i+1]] = v
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s.\n\n| work | beside | ratio | bar |\n|-|-|-|-|\n", machine, cpu)
	write := func(rows []row, form, unit string) error {
		for _, r := range rows {
			v, ok := found[r.name+" "+r.metric]
			if !ok {
				return fmt.Errorf("%s: nothing was measured", r.name)
			}
			bar := ""
			if r.most > 0 {
				bar = "≤ " + strings.TrimSuffix(fmt.Sprintf(form, scale(r.metric, r.most)), ".00") + unit
			}
			if r.most > 0 && v > r.most {
				missed = append(missed, fmt.Sprintf("%s: "+form, r.work, scale(r.metric, v)))
			}
			cells := []string{r.work, r.beside, fmt.Sprintf(form, scale(r.metric, v)) + unit, bar}
			if r.beside == "" {
				cells = append(cells[:1], cells[2:]...)
			}
			fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
		}
		return nil
	}
	if err := write(ratios, "%.2f", ""); err != nil {
		return nil, nil, err
	}
	fmt.Fprint(&b, "\n| work | processor time | bar |\n|-|-|-|\n")
	if err := write(times, "%.2f", " ms"); err != nil {
		return nil, nil, err
	}
	fmt.Fprint(&b, "\nSystem calls of a refusal, which `strace` counts:\n\n")
	for _, said := range calls {
		fmt.Fprintf(&b, "- %s\n", said)
	}
	const begin, end = "<!-- measured -->\n", "<!-- end -->\n"
	before, rest, ok := strings.Cut(string(page), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return nil, nil, fmt.Errorf("the page has no place for the tables between %q and %q", begin, end)
	}
	return []byte(before + begin + b.String() + end + after), missed, nil
}

// ofCores is how package testing ends the name of a benchmark: with the number of processors.
var ofCores = regexp.MustCompile(`-\d+$`)

// scale returns microseconds in milliseconds, and a ratio as it is.
func scale(metric string, v float64) float64 {
	if metric == "cpu-µs" {
		return v / 1000
	}
	return v
}
