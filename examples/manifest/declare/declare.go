// Package declare reads the files in which containers are declared, as the engines read them:
// manifests of Kubernetes, Compose files, Dockerfiles, Quadlet units and command lines.
package declare

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/examples/manifest/image"
	"github.com/lowport/lowport/guard/preflight"
)

// A File is one that declares containers.
type File struct {
	Name    string
	Content []byte
}

// Options are what the files do not say.
type Options struct {
	Engine   string // as for preflight.Container; "" for the one of the kind of file
	Rootless bool

	// ReadFile reads a file that another one names; nil where none may be read.
	ReadFile func(name string) ([]byte, error)

	// Env are the variables of the environment, in which a Compose file's are looked up.
	Env map[string]string
}

// beside reads what a file names by a path of its own.
func (o Options) beside(f, name string) (File, error) {
	if !path.IsAbs(name) {
		name = path.Join(path.Dir(f), name)
	}
	if o.ReadFile == nil {
		return File{}, fmt.Errorf("%s is not given", name)
	}
	content, err := o.ReadFile(name)
	return File{name, content}, err
}

// A Subject is one container that is declared.
type Subject struct {
	File  string
	Line  int    // where it is declared, from 1
	Name  string // "Deployment web/server, container server"
	Short string // "server"
	Ref   string // the image that it names

	// Container is what the file says; see Start.
	Container preflight.Container
	HasUser   bool     // the user is said, and not the image's
	NotRoot   bool     // the kubelet starts it for no root (runAsNonRoot)
	Group     string   // of a user who is the image's
	Command   []string // instead of the image's entrypoint
	Args      []string // instead of the image's command

	ReadOnly bool // its root is
	HostPID  bool // it sees the processes of its host

	Addresses []string // of the ports that are declared and below 1024
	Once      bool     // it ends before the others start, and no server is expected in it
	Standard  int      // the strictest Pod Security standard that allows it: 0 privileged, 1 baseline, 2 restricted
	Against   []string // what the restricted standard has against it
	Refused   error    // why nothing would be started
	Notes     []string // what the engine warns of, and starts it all the same
	Edits     []Edit   // changes of the file that may help

	// Alone is a file with nothing but its object and that object's namespace, so that an edit is
	// tried without the rest; nil where the edits need the whole file.
	Alone []byte
}

// An Edit is a change of a file, to be made by hand.
type Edit struct {
	ID      string // "sysctl", "cap-add" …
	Summary string
	Place   string // "spec.template.spec.securityContext"
	Line    int    // behind or at which line
	Lines   string // what to put there
	change  func([]byte) ([]byte, error)
	alone   func([]byte) ([]byte, error) // the same change of Subject.Alone
}

// Change returns the file as it is with the edit made.
func (e Edit) Change(content []byte) ([]byte, error) { return e.change(content) }

// ChangeAlone returns Subject.Alone as it is with the edit made.
func (e Edit) ChangeAlone(content []byte) ([]byte, error) { return e.alone(content) }

// Read reads files together: a namespace may be declared in one, and what is in it in another;
// the Compose files are those of one project, of which a later one goes before an earlier one.
func Read(files []File, o Options) ([]Subject, error) {
	var all []Subject
	var manifests []manifest
	var project []File
	for _, f := range files {
		var some []Subject
		var more []manifest
		var err error
		switch kindOf(f) {
		case "kubernetes":
			more, err = manifestsOf(f)
		case "kustomize":
			err = errors.New("line 1: " + kustomize)
		case "compose":
			project = append(project, f)
		case "dockerfile":
			some, err = dockerfile(f, o)
		case "container":
			some, err = quadlet(f, files, o)
		case "pod":
			_, err = quadletPod(f)
		case "kube":
			more, err = quadletKube(f, o)
		case "command":
			some, err = commandLine(f, o)
		default:
			err = template(f, errors.New("it is no manifest of Kubernetes, Compose file, Dockerfile, Quadlet unit or command line of an engine"))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		all, manifests = append(all, some...), append(manifests, more...)
	}
	if len(project) > 0 {
		services, err := compose(project, o)
		if err != nil {
			return nil, err
		}
		all = append(all, services...)
	}
	pods, err := pods(manifests, o)
	return append(all, pods...), err
}

// kindOf tells the files apart, by the name or by what stands in them.
func kindOf(f File) string {
	base := strings.ToLower(path.Base(f.Name))
	stem, _, _ := strings.Cut(base, ".")
	switch {
	case slices.Contains([]string{".container", ".pod", ".kube"}, path.Ext(base)):
		return path.Ext(base)[1:]
	case isKustomization(f):
		return "kustomize"
	case stem == "dockerfile", stem == "containerfile", strings.HasSuffix(base, ".dockerfile"):
		return "dockerfile"
	}
	for line := range bytes.Lines(f.Content) {
		text := strings.TrimSpace(string(line))
		word, rest, _ := strings.Cut(text, " ")
		switch {
		case strings.HasPrefix(text, "apiVersion:"), strings.HasPrefix(text, "kind:"), strings.HasPrefix(text, "{"):
			return "kubernetes"
		case strings.HasPrefix(text, "services:"), strings.HasPrefix(text, "include:"):
			return "compose"
		case slices.Contains([]string{"[Container]", "[Pod]", "[Kube]"}, text):
			return strings.ToLower(strings.Trim(text, "[]"))
		case strings.EqualFold(word, "FROM") && rest != "":
			return "dockerfile"
		case slices.Contains([]string{"docker", "podman", "nerdctl", "sudo"}, word):
			return "command"
		}
	}
	return ""
}

// Start returns the container with what its image says, nil for one that is not given.
func (s Subject) Start(i *image.Image) (preflight.Container, error) {
	c := s.Container
	c.Entrypoint = slices.Concat(s.Command, s.Args)
	if i == nil {
		if c.AnyUser = !s.HasUser; s.NotRoot && !s.HasUser {
			c.AnyUser, c.User = false, "65532:65532" // whoever it is
		}
		return c, nil
	}
	c.AnyUser, c.Program, c.Image = false, nil, i.FS()
	c.Env = append(slices.Clone(i.Config.Env), c.Env...)
	if c.Dir == "" {
		c.Dir = i.Config.WorkingDir
	}
	command, args := s.Command, s.Args
	if command == nil {
		command = i.Config.Entrypoint
		if args == nil {
			args = i.Config.Cmd
		}
	}
	c.Entrypoint = slices.Concat(command, args)
	if !s.HasUser {
		c.User = i.Config.User
		if s.Group != "" {
			name, _, _ := strings.Cut(c.User, ":")
			c.User = name + ":" + s.Group
		}
	}
	if s.NotRoot && !s.HasUser {
		name, _, _ := strings.Cut(c.User, ":")
		if n, err := strconv.Atoi(name); err != nil && name != "" {
			return c, fmt.Errorf("runAsNonRoot: the kubelet does not start it, as it cannot tell whether the image's user %q is root", name)
		} else if n == 0 {
			return c, errors.New("runAsNonRoot: the kubelet does not start it, as the image's user is root")
		}
	}
	return c, nil
}

// Asks returns the addresses to ask for: those that are declared, or else those of the image.
func (s Subject) Asks(i *image.Image) []string {
	if len(s.Addresses) > 0 || i == nil {
		return s.Addresses
	}
	var all []string
	for exposed := range i.Config.ExposedPorts {
		port, protocol, _ := strings.Cut(exposed, "/")
		all = append(all, low(port, protocol)...)
	}
	slices.Sort(all)
	return all
}

// low returns the address of a port that is below the kernel's threshold, as preflight.Bind takes
// it.
func low(port, protocol string) []string {
	from, to, isRange := strings.Cut(port, "-")
	if !isRange {
		to = from
	}
	first, err := strconv.ParseUint(from, 10, 16)
	last, errLast := strconv.ParseUint(to, 10, 16)
	if errors.Join(err, errLast) != nil || first == 0 {
		return nil
	}
	var all []string
	for n := first; n <= last && n < 1024; n++ {
		switch strings.ToLower(protocol) {
		case "", "tcp":
			all = append(all, fmt.Sprintf(":%d", n))
		case "udp":
			all = append(all, fmt.Sprintf("udp/:%d", n))
		}
	}
	return all
}

// unique drops what is there twice.
func unique(all []string) (out []string) {
	for _, a := range all {
		if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// lowest returns the lowest port of addresses.
func lowest(addresses []string) int {
	least := 1024
	for _, a := range addresses {
		if n, err := strconv.Atoi(a[strings.LastIndex(a, ":")+1:]); err == nil {
			least = min(least, n)
		}
	}
	return least
}

const portStart = "net.ipv4.ip_unprivileged_port_start"
