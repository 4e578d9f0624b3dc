package declare

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"

	"github.com/lowport/lowport/guard/preflight"
)

// compose reads a file with the loader of Docker Compose, which refuses what its schema does not
// have.
func compose(f File, o Options) ([]Subject, error) {
	nodes, err := documents(f.Content)
	if err != nil {
		return nil, err
	}
	details := types.ConfigDetails{WorkingDir: "/", ConfigFiles: []types.ConfigFile{{Filename: f.Name, Content: f.Content}}, Environment: types.Mapping{}}
	project, err := loader.LoadWithContext(context.Background(), details, loader.WithProfiles([]string{"*"}), func(l *loader.Options) {
		l.SkipExtends = false
		l.SetProjectName("compose", false)
	})
	if err != nil {
		return nil, composeError(nodes, err)
	}
	var all []Subject
	for _, name := range slices.Sorted(maps.Keys(project.Services)) {
		s, err := service(f, project, name, o)
		if err != nil {
			return nil, fmt.Errorf("line %d: service %s: %w", lineOf(nodes[0], "services."+name), name, err)
		}
		s.Line = lineOf(nodes[0], "services."+name)
		s.Edits = serviceEdits(s, name, nodes[0])
		all = append(all, s)
	}
	return all, nil
}

// composeError adds the line of what the loader's error names.
func composeError(nodes []*yaml.Node, err error) error {
	text := err.Error()
	for _, word := range strings.Fields(text) {
		word = strings.Trim(word, `'":,`)
		if strings.HasPrefix(word, "services.") {
			way := strings.Split(word, ".")
			for _, name := range strings.Fields(text) { // a property that it names, in the mapping
				if found, whole := at(nodes[0], append(way, strings.Trim(name, `'":,`))...); whole {
					return fmt.Errorf("line %d: %w", found.Line, err)
				}
			}
			return fmt.Errorf("line %d: %w", lineOf(nodes[0], word), err)
		}
	}
	return err
}

// service translates a service.
func service(f File, project *types.Project, name string, o Options) (Subject, error) {
	in := project.Services[name]
	s := Subject{
		File: f.Name, Name: "service " + name, Short: name, ReadOnly: in.ReadOnly, HostPID: in.Pid == "host", Ref: in.Image, Command: in.Entrypoint, Args: in.Command,
		HasUser: in.User != "",
		Container: preflight.Container{
			Engine: or(o.Engine, "docker"), Rootless: o.Rootless, User: in.User, AddCaps: in.CapAdd, DropCaps: in.CapDrop,
			Privileged: in.Privileged, Sysctls: maps.Clone(map[string]string(in.Sysctls)), Dir: in.WorkingDir,
			UserNS: in.UserNSMode != "" && in.UserNSMode != "host",
		},
	}
	c := &s.Container
	for _, key := range slices.Sorted(maps.Keys(in.Environment)) {
		if v := in.Environment[key]; v != nil {
			c.Env = append(c.Env, key+"="+*v)
		}
	}
	if err := securityOptions(c, in.SecurityOpt); err != nil {
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
		return s, fmt.Errorf("no ports go with the host's network")
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

// securityOptions reads what follows --security-opt.
func securityOptions(c *preflight.Container, options []string) error {
	for _, option := range options {
		key, value, _ := strings.Cut(strings.Replace(option, "=", ":", 1), ":")
		switch key {
		case "no-new-privileges":
			if value != "" && value != "true" && value != "false" {
				return fmt.Errorf("no-new-privileges is true or false, and not %q", value)
			}
			c.NoNewPrivs = value != "false"
		case "seccomp":
			c.Unconfined = value == "unconfined"
		case "label", "apparmor", "systempaths", "mask", "unmask", "proc-opts":
		default:
			return fmt.Errorf("no engine knows the security option %s", option)
		}
	}
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
