package declare

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/loader"
	composetemplate "github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"

	"github.com/lowport/lowport/guard/preflight"
)

// A source is a Compose file, and its one document.
type source struct {
	File
	root *yaml.Node
}

// compose reads the files of a project with the loader of Docker Compose, which refuses what its
// schema does not have. Services of every profile are there.
func compose(files []File, o Options) ([]Subject, error) {
	var sources []source
	dir, err := filepath.Abs(filepath.Dir(files[0].Name))
	if err != nil {
		return nil, err
	}
	details := types.ConfigDetails{WorkingDir: dir, Environment: types.Mapping{}}
	for _, f := range files {
		nodes, err := documents(f.Content)
		if err == nil && len(nodes) != 1 {
			err = fmt.Errorf("it has %d documents, and not one", len(nodes))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		sources = append(sources, source{f, nodes[0]})
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: f.Name, Content: f.Content})
	}
	if o.ReadFile != nil {
		env, err := o.beside(files[0].Name, ".env")
		if err == nil {
			details.Environment, err = dotenv.Parse(bytes.NewReader(env.Content))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s: %w", env.Name, err)
		}
	}
	maps.Copy(details.Environment, o.Env)
	project, err := loader.LoadWithContext(context.Background(), details, loader.WithProfiles([]string{"*"}), func(l *loader.Options) {
		l.ResourceLoaders = []loader.ResourceLoader{&others{dir, o}}
		l.Interpolate.Substitute = substitute
		l.SkipResolveEnvironment = true // env_file: what a program does with it is not looked at
		l.SetProjectName("compose", false)
	})
	if err != nil {
		return nil, composeError(sources, err)
	}
	var all []Subject
	for _, name := range slices.Sorted(maps.Keys(project.Services)) {
		from := declares(sources, name)
		s, err := service(from, project, name, o)
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: service %s: %w", from.Name, s.Line, name, err)
		}
		s.Edits = serviceEdits(s, name, from.root)
		all = append(all, s)
	}
	return all, nil
}

// declares returns the last file that declares a service, or that includes what does.
func declares(sources []source, name string) source {
	for _, f := range slices.Backward(sources) {
		if _, whole := at(f.root, "services", name); whole {
			return f
		}
	}
	return sources[len(sources)-1]
}

// others reads the files that extends and include name, which a hostile file may make any.
type others struct {
	dir string
	o   Options
}

// Accept takes every path.
func (l *others) Accept(string) bool { return true }

// Load returns the path that the loader reads, once it was read here within its bounds.
func (l *others) Load(_ context.Context, name string) (string, error) {
	f, err := l.o.beside(filepath.Join(l.dir, "compose.yaml"), name)
	if err == nil {
		if _, err = documents(f.Content); err != nil {
			err = fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return f.Name, err
}

// Dir returns the folder of a path, as the loader's own does.
func (l *others) Dir(name string) string {
	if !filepath.IsAbs(name) {
		name = filepath.Join(l.dir, name)
	}
	return filepath.Dir(name)
}

// substitute puts the values of variables into a text. One that nobody set stays as it is: what it
// becomes elsewhere is not known.
func substitute(text string, of composetemplate.Mapping) (string, error) {
	unset := map[string]bool{}
	for name := range composetemplate.ExtractVariables(map[string]any{"": text}, nil) {
		_, is := of(name)
		otherwise := regexp.MustCompile(regexp.QuoteMeta(name) + "[-:+?]") // it says what to take then
		unset[name] = !is && !otherwise.MatchString(text)
	}
	return composetemplate.Substitute(text, func(name string) (string, bool) {
		if unset[name] {
			return "${" + name + "}", true
		}
		return of(name)
	})
}

// composeError adds the file and the line of what the loader's error names.
func composeError(sources []source, err error) error {
	text := err.Error()
	words := strings.Fields(text)
	for i, word := range words {
		words[i] = strings.Trim(word, `'":,`)
	}
	for _, f := range slices.Backward(sources) {
		for _, word := range words {
			way := strings.Split(word, ".")
			if found, _ := at(f.root, way...); way[0] != "services" || found == f.root {
				continue
			}
			for _, name := range words { // a property that it names, in the mapping
				if found, whole := at(f.root, append(way, name)...); whole {
					return fmt.Errorf("%s: line %d: %w", f.Name, found.Line, err)
				}
			}
			if _, whole := at(f.root, way...); whole || len(sources) == 1 {
				return fmt.Errorf("%s: line %d: %w", f.Name, lineOf(f.root, word), err)
			}
		}
	}
	return fmt.Errorf("%s: %w", sources[0].Name, err)
}

// service translates a service.
func service(f source, project *types.Project, name string, o Options) (Subject, error) {
	in := project.Services[name]
	s := Subject{
		File: f.Name, Line: lineOf(f.root, "services."+name), Name: "service " + name, Short: name, ReadOnly: in.ReadOnly, HostPID: in.Pid == "host", Ref: in.Image, Command: in.Entrypoint, Args: in.Command,
		HasUser: in.User != "",
		Container: preflight.Container{
			Engine: or(o.Engine, "docker"), Rootless: o.Rootless, User: in.User, AddCaps: in.CapAdd, DropCaps: in.CapDrop,
			Privileged: in.Privileged, Sysctls: maps.Clone(map[string]string(in.Sysctls)), Dir: in.WorkingDir,
			UserNS: in.UserNSMode != "" && in.UserNSMode != "host", ReadOnly: in.ReadOnly,
		},
	}
	if name := unsubstituted(in); name != "" {
		return s, fmt.Errorf("what %s becomes is not known: set it, or give what `docker compose config` makes of the file", name)
	}
	c := &s.Container
	for _, key := range slices.Sorted(maps.Keys(in.Environment)) {
		if v := in.Environment[key]; v != nil {
			c.Env = append(c.Env, key+"="+*v)
		}
	}
	if err := securityOptions(c, in.SecurityOpt, f.Name, o); err != nil {
		return s, err
	}
	switch other, shares := strings.CutPrefix(in.NetworkMode, "service:"); {
	case shares && (len(in.Sysctls) > 0 || len(in.Ports) > 0):
		return s, fmt.Errorf("neither sysctls nor ports go with %s", in.NetworkMode)
	case shares:
		c.Network, c.Sysctls = in.NetworkMode, project.Services[other].Sysctls
		if project.Services[other].NetworkMode == "host" {
			c.Network = "host"
		} else if project.Services[other].NetworkMode == "" {
			c.Network = "" // as if it were its own: the engine makes it so for the other
		}
	default:
		c.Network = shared(in.NetworkMode)
	}
	if c.Network == "host" && len(in.Ports) > 0 {
		s.Notes = append(s.Notes, "ports: is ignored, as the service is on the host's network: the program binds there")
	}
	for _, p := range in.Ports {
		s.Addresses = append(s.Addresses, low(strconv.Itoa(int(p.Target)), p.Protocol)...)
	}
	for _, e := range in.Expose {
		port, protocol, _ := strings.Cut(e, "/")
		s.Addresses = append(s.Addresses, low(port, protocol)...)
	}
	s.Addresses = unique(s.Addresses)
	return s, nil
}

// shared returns the network as preflight.Container has it: "" for the engine's own networks.
func shared(mode string) string {
	if kind, _, _ := strings.Cut(mode, ":"); mode == "host" || kind == "container" || kind == "ns" {
		return mode
	}
	return ""
}

// unsubstituted returns a variable that decides and that nobody set, "" for none.
func unsubstituted(in types.ServiceConfig) string {
	all := slices.Concat([]string{in.User, in.NetworkMode, in.UserNSMode, in.WorkingDir, in.Pid}, in.CapAdd, in.CapDrop, in.SecurityOpt,
		[]string(in.Entrypoint), []string(in.Command), []string(in.Expose), slices.Collect(maps.Keys(in.Sysctls)), slices.Collect(maps.Values(in.Sysctls)))
	for _, text := range all {
		for name := range composetemplate.ExtractVariables(map[string]any{"": text}, nil) {
			return "${" + name + "}"
		}
	}
	return ""
}

// securityOptions reads what follows --security-opt. A profile is a file beside the one that names
// it.
func securityOptions(c *preflight.Container, options []string, by string, o Options) error {
	for _, option := range options {
		key, value, _ := strings.Cut(strings.Replace(option, "=", ":", 1), ":")
		switch key {
		case "no-new-privileges":
			if value != "" && value != "true" && value != "false" {
				return fmt.Errorf("no-new-privileges is true or false, and not %q", value)
			}
			c.NoNewPrivs = value != "false"
		case "seccomp":
			if err := profile(c, value, by, o); err != nil {
				return err
			}
		case "label", "apparmor", "systempaths", "mask", "unmask", "proc-opts":
		default:
			return fmt.Errorf("no engine knows the security option %s", option)
		}
	}
	return nil
}

// profile is the seccomp profile of a container: a file's, or a word of the engine.
func profile(c *preflight.Container, value, by string, o Options) error {
	switch c.Unconfined, c.Seccomp = value == "unconfined", nil; value {
	case "unconfined", "builtin", "default", "":
		return nil
	}
	f, err := o.beside(by, value)
	if err != nil {
		return fmt.Errorf("the seccomp profile: %w", err)
	}
	c.Seccomp = f.Content
	return nil
}

// serviceEdits are the changes of the file that may help.
func serviceEdits(s Subject, name string, root *yaml.Node) (all []Edit) {
	way := []string{"services", name}
	add := func(id, lines string, change func(*yaml.Node) error) {
		all = append(all, Edit{
			ID: id, Summary: "for this service", Place: strings.Join(way, "."), Line: s.Line, Lines: indented(root, way, lines),
			change: edited(0, func(n *yaml.Node) error {
				into, err := mapping(n, way...)
				if err != nil {
					return err
				}
				return change(into)
			}),
		})
	}
	port := strconv.Itoa(lowest(s.Addresses))
	if s.Container.Network == "" {
		add("sysctl", "sysctls:\n  "+portStart+": \""+port+"\"\n", func(n *yaml.Node) error {
			sysctls := field(n, "sysctls")
			if sysctls != nil && sysctls.Kind == yaml.SequenceNode {
				sysctls.Content = slices.DeleteFunc(sysctls.Content, func(e *yaml.Node) bool { return strings.HasPrefix(e.Value, portStart+"=") })
				sysctls.Content = append(sysctls.Content, scalar(portStart+"="+port))
				return nil
			}
			into, err := mapping(n, "sysctls")
			if err == nil {
				set(into, portStart, port)
			}
			return err
		})
	}
	add("cap-add", "cap_add: [NET_BIND_SERVICE]\n", func(n *yaml.Node) error {
		names := list(n, "cap_add")
		names.Content = append(names.Content, scalar("NET_BIND_SERVICE"))
		return nil
	})
	if s.Container.NoNewPrivs {
		add("no-new-privileges", "security_opt: [\"no-new-privileges:false\"]\n", func(n *yaml.Node) error {
			options := list(n, "security_opt")
			options.Content = slices.DeleteFunc(options.Content, func(e *yaml.Node) bool { return strings.HasPrefix(e.Value, "no-new-privileges") })
			options.Content = append(options.Content, scalar("no-new-privileges:false"))
			return nil
		})
	}
	return all
}
