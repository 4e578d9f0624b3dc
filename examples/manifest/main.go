// Manifest says of the containers that files declare whether their programs will get their
// ports, before anything is pulled or started:
//
//	manifest [-image FILE|DIR] [-engine NAME[@VERSION]] [-container NAME] FILE… [ADDRESS…]
//	manifest [-image FILE|DIR] [ADDRESS…] -- podman run …
//
// The files are manifests of Kubernetes, Compose files, Dockerfiles, Quadlet units (.container,
// .pod, .kube), or have a command line of docker, podman or nerdctl. Several Compose files are one
// project, as with several -f of docker compose. The addresses are by default the ports that a
// container declares below 1024; those that are given are asked for each container, or for the
// one that -container names.
//
// The image, an OCI layout or an archive of docker save, says who the user is and what the
// program's file may do. It counts for the containers that name it, or for all if none does.
// Nothing of it is written to the disk. Without it the answer is that it cannot be told
// wherever these decide.
//
// The report is the doctor's, and its fixes are edits of the files: each was made in memory, and
// the changed file gets its port, and keeps to the Pod Security standard to which it kept. On a
// node's or host's network the kernel's own threshold of 1024 is assumed.
//
// # Exit status
//
//	0   every container gets its ports, or declares none below 1024
//	64  the command line, a file or an address is wrong, or a container would not even be started
//	66  a file cannot be read
//	69  an address cannot be had
//	74  the output cannot be written
//	77  permission is refused, or that cannot be told
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/sirupsen/logrus"

	"github.com/lowport/lowport/examples/manifest/declare"
	"github.com/lowport/lowport/examples/manifest/image"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/term"
)

// The statuses of sysexits(3), beside those that reports have.
const (
	usageError = 64 // EX_USAGE
	noInput    = 66 // EX_NOINPUT
	ioError    = 74 // EX_IOERR
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// A command is what the command line says.
type command struct {
	options   declare.Options
	image     *image.Image
	files     []declare.File
	line      []string // of an engine
	container string   // the one that is asked for, "" for all
	addresses []string
	json      bool
}

// maxFile bounds a file that declares containers, in bytes.
const maxFile = 16 << 20

// isAddress tells an address from the name of a file.
var isAddress = regexp.MustCompile(`^((tcp|udp)[46]?/)?[^/]*:[^/]*$`)

// run does what the command line asks for, and returns the exit status.
func run(args []string, stdout *os.File, stderr io.Writer) int {
	logrus.SetOutput(io.Discard) // the Compose loader warns there, with names as they are
	c, code, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err == nil {
		code = usageError
		var subjects []declare.Subject
		if subjects, err = c.subjects(c.files, c.options); err == nil {
			return c.report(subjects, stdout, stderr)
		}
	}
	complain(stderr, err)
	return code
}

// parse reads the command line and the files that it names.
func parse(args []string, stderr io.Writer) (c command, code int, err error) {
	f := flag.NewFlagSet("manifest", flag.ContinueOnError)
	f.SetOutput(io.Discard) // which shows an argument as it is
	f.Usage = func() {}
	name := f.String("image", "", "the image of the containers: an OCI layout, or an archive of docker save")
	f.StringVar(&c.options.Engine, "engine", "", "docker, podman, nerdctl, containerd, cri-o or kubernetes, perhaps with @VERSION")
	f.StringVar(&c.container, "container", "", "the name of the only container, or service, to look at")
	f.BoolVar(&c.options.Rootless, "rootless", false, "the engine runs as a user who is not root")
	f.BoolVar(&c.json, "json", false, "print JSON: an array of reports")
	if i := slices.Index(args, "--"); i >= 0 {
		args, c.line = args[:i], args[i+1:]
	}
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			f.SetOutput(stderr)
			fmt.Fprintln(stderr, "usage: manifest [flags] FILE… [ADDRESS…]\n       manifest [flags] [ADDRESS…] -- podman run …")
			f.PrintDefaults()
		}
		return c, usageError, err
	}
	for _, arg := range f.Args() {
		if isAddress.MatchString(arg) {
			c.addresses = append(c.addresses, arg)
			continue
		}
		content, err := read(arg)
		if err != nil {
			return c, noInput, err
		}
		c.files = append(c.files, declare.File{Name: arg, Content: content})
	}
	if len(c.files) == 0 && len(c.line) == 0 {
		return c, usageError, errors.New("it names no file: try manifest -h")
	}
	c.options.ReadFile, c.options.Env = read, environment()
	if *name != "" {
		if c.image, err = image.Open(*name); errors.Is(err, os.ErrNotExist) {
			return c, noInput, err
		}
	}
	return c, usageError, err
}

// environment are the variables of this process.
func environment() map[string]string {
	all := map[string]string{}
	for _, e := range os.Environ() {
		name, value, _ := strings.Cut(e, "=")
		all[name] = value
	}
	return all
}

// read reads a regular file of at most maxFile bytes, so that nothing that a file names goes on
// forever.
func read(name string) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() && info.Mode()&fs.ModeNamedPipe == 0 {
		err = fmt.Errorf("%s is no regular file", name)
	}
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if len(content) > maxFile {
		return nil, fmt.Errorf("%s is longer than %d bytes", name, maxFile)
	}
	return content, err
}

// subjects are the containers that the files declare, or the command line: all, or the one that is
// asked for.
func (c command) subjects(files []declare.File, o declare.Options) ([]declare.Subject, error) {
	all, err := declare.Read(files, o)
	if err == nil && len(c.line) > 0 {
		var s declare.Subject
		s, err = declare.Command(c.line, o)
		all = append(all, s)
	}
	if err != nil || c.container == "" {
		return all, err
	}
	var names []string
	one := slices.DeleteFunc(slices.Clone(all), func(s declare.Subject) bool {
		names = append(names, s.Short)
		return s.Short != c.container
	})
	if len(one) == 0 {
		return nil, fmt.Errorf("no container %q is declared: there are %s", c.container, strings.Join(names, ", "))
	}
	return one, nil
}

// report prints a report on each container that does not get its ports, and returns the status
// that says most.
func (c command) report(subjects []declare.Subject, stdout *os.File, stderr io.Writer) int {
	code := 0
	reports := []report.Report{}
	for _, s := range subjects {
		r, status, err := c.judge(s, subjects)
		if err != nil {
			complain(stderr, fmt.Errorf("%s: %w", place(s), err))
		}
		if code = worst(code, status); err == nil && (c.json || status != 0) {
			reports = append(reports, r)
		}
	}
	if err := show(reports, c.json, stdout); err != nil {
		complain(stderr, err)
		return ioError
	}
	return code
}

// complain prints an error on one line, in which a name from a file is fit for a terminal.
func complain(stderr io.Writer, err error) {
	fmt.Fprintln(stderr, "manifest:", term.Show(strings.ReplaceAll(err.Error(), "\n", "; ")))
}

// place names a container as the operator finds it, fit for a terminal.
func place(s declare.Subject) string {
	if s.File == "" {
		return term.Show(s.Name)
	}
	return fmt.Sprintf("%s:%d: %s", term.Show(s.File), s.Line, term.Show(s.Name))
}

// worst returns the first of 64, 77, 69 and 0 that one of the two is, as the doctor does.
func worst(a, b int) int {
	for _, code := range []int{usageError, 77, 69} {
		if a == code || b == code {
			return code
		}
	}
	return max(a, b)
}

func show(reports []report.Report, asJSON bool, stdout *os.File) error {
	if asJSON {
		e := json.NewEncoder(stdout)
		e.SetEscapeHTML(false)
		e.SetIndent("", " ")
		return e.Encode(reports)
	}
	for i, r := range reports {
		if i > 0 {
			if _, err := fmt.Fprintln(stdout); err != nil {
				return err
			}
		}
		if err := r.Print(stdout); err != nil {
			return err
		}
	}
	return nil
}
