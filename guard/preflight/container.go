package preflight

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/ask"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/launch"
	"github.com/lowport/lowport/internal/live"
	"github.com/lowport/lowport/internal/program"
)

// A Container is what an engine is asked to start, in the words that the engines share. What
// decides and is not said ends in a report that it cannot be told, which names what to say.
//
// What is decided for the container is decided for any machine: none of the facts are those of
// this one. On the host's network the machine is taken to have the kernel's own threshold of
// 1024, and the port to be free.
type Container struct {
	// Engine is "docker", "podman", "nerdctl", "containerd" or "cri-o" (as Kubernetes calls
	// them), perhaps in a version, "containerd@1.7"; or "kubernetes" for whatever engine a node has.
	Engine   string
	Rootless bool // the engine runs as a user who is not root

	User     string   // "USER[:GROUP]", each by name or number; "" for root
	AnyUser  bool     // User is not known, as it is the image's: root or not
	AddCaps  []string // "NET_BIND_SERVICE", "ALL"
	DropCaps []string

	NoNewPrivs bool // no-new-privileges, or allowPrivilegeEscalation: false
	Privileged bool
	Unconfined bool // without the engine's seccomp filter
	ReadOnly   bool // its root is mounted read-only

	// Seccomp is the profile of the container, as engines read it from a file; nil for the engine's own
	// one, which refuses no bind. An empty one is not known.
	Seccomp []byte

	Sysctls map[string]string // those of the network namespace

	// Network is "" for a network namespace of the container's own, or its pod's, "host", or what else it
	// shares: then Sysctls are what is known of that one.
	Network string
	UserNS  bool // it has a user namespace of its own (hostUsers: false, --userns)

	Entrypoint []string // the program and its arguments
	Env        []string // "PATH=/bin"
	Dir        string   // where it starts, "" for "/"

	// Image is the root of the container. Its links are those of [fs.ReadLinkFS], and lead nowhere
	// outside. What [fs.FileInfo.Sys] returns is an [Attributes]; of a file with something else
	// it is not known whether it has capabilities. Nil is an image that is not there to be read.
	Image fs.FS

	// Program is what is known of the program's file where Image is nil; nil where nothing is.
	Program *Attributes
}

// Attributes is what execve(2) sees of a file of an image beside its mode.
type Attributes struct {
	UID, GID   uint32
	Capability []byte // the value of the extended attribute security.capability, nil for none
}

// attributes returns what execve sees of a file.
func attributes(info fs.FileInfo) facts.Image {
	const source = "the image"
	mode := uint32(info.Mode().Perm())
	for bit, is := range map[uint32]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if info.Mode()&is != 0 {
			mode |= bit
		}
	}
	switch {
	case info.Mode().IsRegular():
		mode |= 0o100000
	case info.IsDir():
		mode |= 0o040000
	}
	image := facts.Image{
		Stat:   facts.Fact[facts.Stat]{Value: facts.Stat{Mode: mode}, State: facts.Known, Source: source},
		Nosuid: facts.Fact[bool]{State: facts.Known, Source: source}, Frozen: facts.Fact[bool]{State: facts.Known, Source: source},
		Caps: facts.Fact[caps.File]{Source: source, Reason: "the file system does not show attributes"},
	}
	a, ok := info.Sys().(*Attributes)
	if !ok {
		return image
	}
	image.Stat.Value.UID, image.Stat.Value.GID = a.UID, a.GID
	if image.Caps = image.Caps.None(); a.Capability == nil {
		image.Caps.Reason = "ENODATA"
		return image
	}
	file, err := caps.DecodeFile(a.Capability)
	if err != nil {
		image.Caps = facts.Fact[caps.File]{Source: source, Reason: err.Error()}
		return image
	}
	image.Caps = image.Caps.Now(file)
	return image
}

// inContainer is a start by an engine. What is not said of the container has a plan for each
// of its answers.
func (how Launch) inContainer() (*plan, error) {
	engine, err := launch.ParseEngine(how.Container.Engine)
	if err != nil {
		return nil, fmt.Errorf("preflight: %w", err)
	}
	var all []other
	for _, e := range engine.Engines() {
		more, err := how.by(e)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	p := all[0].plan
	p.others = all[1:]
	if engines := engine.Engines(); len(engines) > 1 {
		for i := range p.others {
			if p.others[i].engine != engines[0] {
				p.others[i].what = append(p.others[i].what, fmt.Sprintf("which engine starts it (%s, %s or another)", engines[0].Which(), p.others[i].engine.Which()))
			}
		}
	}
	return p, nil
}

// An other is another start that the container may stand for.
type other struct {
	*plan
	engine launch.Engine
	what   []string // what was not said that makes the difference
}

// A containerUser is one that the container may have.
type containerUser struct {
	says string // "USER[:GROUP]"
	root bool   // it is called root, and is not what an image makes of another name
	what string // what was not said, if this is not the first guess
}

// users returns those that the container may have: one, or two where it is not known whether it
// is root.
func (c *Container) users() []containerUser {
	const nobody = "65532:65532"
	name, _, _ := strings.Cut(c.User, ":")
	root := slices.Contains([]string{"", "root", "0"}, name)
	_, err := strconv.ParseUint(name, 10, 31)
	switch {
	case c.AnyUser:
		return []containerUser{{says: nobody}, {says: "0:0", root: true, what: "which user the image names"}}
	case c.Image == nil && !root && err != nil:
		return []containerUser{{says: nobody}, {says: "0:0", what: fmt.Sprintf("which number the user %q has, as no image is given", name)}}
	}
	return []containerUser{{says: c.User, root: root}}
}

// by returns the starts by an engine: as each user that it may be, and with each program.
func (how Launch) by(e launch.Engine) (all []other, err error) {
	for _, u := range how.Container.users() {
		plans, err := how.as(e, u)
		if err != nil {
			return nil, err
		}
		for j, p := range plans {
			o := other{plan: p, engine: e}
			if u.what != "" {
				o.what = append(o.what, u.what)
			}
			if j > 0 {
				o.what = append(o.what, "whether the program's file has capabilities, as no image is given")
			}
			all = append(all, o)
		}
	}
	return all, nil
}

// starts is what the engine is asked to start, as that user.
func (c *Container) starts(e launch.Engine, u containerUser) (launch.Container, error) {
	start := launch.Container{
		Engine: e, Rootless: c.Rootless, Add: c.AddCaps, Drop: c.DropCaps, NoNewPrivs: c.NoNewPrivs, Privileged: c.Privileged,
		Sysctls: c.Sysctls, Network: c.Network, UserNS: c.UserNS, Unconfined: c.Unconfined, ReadOnly: c.ReadOnly, NamedRoot: u.root,
	}
	switch {
	case c.Seccomp == nil:
		return start, nil
	case len(c.Seccomp) == 0:
		start.Seccomp = &launch.Profile{}
		return start, nil
	}
	profile, err := launch.ParseProfile(c.Seccomp)
	start.Seccomp = profile
	return start, err
}

// as returns the plans of a start as that user: one, or without an image one for a program
// without and one with the capability in question.
func (how Launch) as(e launch.Engine, u containerUser) ([]*plan, error) {
	c := how.Container
	name, group, _ := strings.Cut(u.says, ":")
	start, err := c.starts(e, u)
	if err != nil {
		return nil, fmt.Errorf("preflight: %w", err)
	}
	argv := slices.Clone(c.Entrypoint)
	if how.Binary != "" {
		argv = append([]string{how.Binary}, argv[min(1, len(argv)):]...)
	}
	if c.Image == nil {
		return how.unseenImage(start, name, group, argv)
	}
	tree := live.Tree{FS: c.Image, Attributes: attributes}
	users, err := database(tree)
	if err != nil {
		return nil, err
	}
	who, err := users.Account(name, group)
	if err != nil {
		return nil, err
	}
	if len(argv) == 0 {
		return nil, errors.New("preflight: neither the container nor its image names a program")
	}
	s := starter{path: c.path(), dir: cmp.Or(c.Dir, "/"), who: who, in: root{tree.Open, tree.Stat, users.Account}}
	chain, err := s.follow(argv)
	if err != nil {
		return nil, err
	}
	defer chain.close()
	p := how.does(chain.program.File.Does)
	f, err := start.Start(chain.program.Image(), chain.program.Path, argv, who)
	if err != nil {
		return nil, err
	}
	f.Launch.Script, f.Launch.Interpreter = chain.script, chain.given
	p.inside(start)
	p.doubt = func(g kernel.Goal) string { return cmp.Or(chain.doubt, start.Doubt(g)) }
	return []*plan{p}, p.start(chain, f, s)
}

// inside completes the plan of a program in a container, which gets no sockets and whose
// network cannot be asked.
func (p *plan) inside(c launch.Container) {
	p.remote, p.inherits = true, program.Answer[bool]{}
	if c.Network == "host" {
		p.notes = append(p.notes, "the host is taken to have the kernel's threshold of 1024, and the port to be free there")
	}
	if c.Opened() {
		p.notes = append(p.notes, c.Engine.Which()+" makes every port of a container's own network unprivileged, and not every engine does")
	}
}

// path is where the runtime looks for the program: the PATH of the container.
func (c *Container) path() string {
	for _, e := range slices.Backward(c.Env) {
		if v, ok := strings.CutPrefix(e, "PATH="); ok {
			return v
		}
	}
	return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}

// database reads the users of an image. An image that has none names them by numbers.
func database(tree live.Tree) (d launch.Database, err error) {
	for name, text := range map[string]*string{"/etc/passwd": &d.Passwd, "/etc/group": &d.Group} {
		b, errRead := tree.ReadFile(name)
		if errRead != nil && !errors.Is(errRead, fs.ErrNotExist) {
			err = errors.Join(err, errRead)
		}
		*text = string(b)
	}
	return d, err
}

// differs makes the request one that cannot be told if another start would end otherwise.
func (p *plan) differs(r *ask.Request) {
	var what []string
	outcome := ended(*r)
	for _, o := range p.others {
		again := *r
		again.Err, again.How, again.Goal = nil, ask.Request{}.How, kernel.Goal{}
		o.predict(&again)
		if ended(again) != outcome && (len(what) == 0 || len(o.what) < len(what)) {
			what = o.what
		}
	}
	if what == nil {
		return
	}
	untellable(r, "it depends on "+strings.Join(what, ", and on "), r.Goal.Protocol() == "udp", r.Goal.Addr)
}

// ended is how a request ended, as far as the operator cares: whatever refuses, it is refused.
func ended(r ask.Request) string {
	untold := (*ask.Untold)(nil)
	switch {
	case r.Err == nil:
		return "allowed"
	case errors.As(r.Err, &untold):
		return "untold"
	}
	return "refused"
}

// differ says why it cannot be told whether a goal of capabilities is reached.
func (p *plan) differ(g kernel.Goal) string {
	for _, o := range p.others {
		if ask.Holds(g.Require, o.facts) != ask.Holds(g.Require, p.facts) {
			return "it depends on " + strings.Join(o.what, ", and on ")
		}
	}
	return ""
}
