package declare

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/guard/preflight"
)

// quadlet reads the [Container] of a unit that podman-systemd.unit(5) describes.
func quadlet(f File, files []File, o Options) ([]Subject, error) {
	entries, line, end, err := section(f, "Container")
	if err != nil {
		return nil, err
	}
	if line == 0 {
		return nil, fmt.Errorf("it has no [Container]")
	}
	s := Subject{
		File: f.Name, Line: line, Name: "container " + path.Base(f.Name), Short: strings.TrimSuffix(path.Base(f.Name), ".container"),
		Container: preflight.Container{Engine: or(o.Engine, "podman"), Rootless: o.Rootless},
	}
	var options []given
	var pod []given // what goes before is the container's own
	user, group := "", ""
	for _, e := range entries {
		option := func(name string) { options = append(options, given{name, e.value}) }
		words, errWords := shellWords(strings.ReplaceAll(e.value, "$", ""))
		switch e.name {
		case "Image":
			s.Ref = e.value
		case "User":
			user = e.value
		case "Group":
			group = e.value
		case "AddCapability", "DropCapability":
			name := map[string]string{"AddCapability": "cap-add", "DropCapability": "cap-drop"}[e.name]
			for _, w := range strings.Fields(e.value) {
				options = append(options, given{name, w})
			}
		case "NoNewPrivileges":
			s.Container.NoNewPrivs = yes(e.value)
		case "SeccompProfile":
			if err := profile(&s.Container, e.value, f.Name, o); err != nil {
				return nil, fmt.Errorf("line %d: %w", e.line, err)
			}
		case "ReadOnly":
			s.ReadOnly = yes(e.value)
			s.Container.ReadOnly = s.ReadOnly
		case "Sysctl":
			for _, w := range strings.Fields(e.value) {
				options = append(options, given{"sysctl", w})
			}
		case "Network":
			option("network")
		case "Pod":
			more, errPod := podOf(f, e.value, files, o)
			if errPod != nil {
				return nil, fmt.Errorf("line %d: Pod=: %w", e.line, errPod)
			}
			pod = more
		case "UserNS", "RemapUsers":
			option("userns")
		case "UIDMap", "GIDMap", "SubUIDMap", "SubGIDMap":
			options = append(options, given{"uidmap", e.value})
		case "PublishPort":
			option("publish")
		case "ExposeHostPort":
			option("expose")
		case "WorkingDir":
			option("workdir")
		case "Entrypoint":
			option("entrypoint")
		case "Environment":
			for _, w := range words {
				options = append(options, given{"env", w})
			}
		case "Exec":
			s.Args = words
		case "PodmanArgs":
			more, rest, errRead := read(words)
			if errRead != nil || len(rest) > 0 {
				return nil, fmt.Errorf("line %d: PodmanArgs=: %w", e.line, fmt.Errorf("what %q does is not known", e.value))
			}
			options = append(options, more...)
		default:
			if !slices.Contains(harmless, e.name) {
				return nil, fmt.Errorf("line %d: podman knows no %s= in [Container]", e.line, e.name)
			}
		}
		if errWords != nil && (e.name == "Exec" || e.name == "Environment" || e.name == "PodmanArgs") {
			return nil, fmt.Errorf("line %d: %w", e.line, errWords)
		}
	}
	if user != "" {
		s.HasUser, s.Container.User = true, user
	}
	if group != "" {
		s.Group = group
		if s.HasUser {
			s.Container.User += ":" + group
		}
	}
	if err := s.options(slices.Concat(pod, options), o); err != nil {
		return nil, err
	}
	s.Edits = quadletEdits(s, end)
	return []Subject{s}, nil
}

// harmless are keys that change neither who starts nor what it may do.
var harmless = strings.Fields(`AddDevice AddHost Annotation AppArmor AutoUpdate CgroupsMode ContainerName ContainersConfModule DNS DNSOption
	DNSSearch EnvironmentFile EnvironmentHost GlobalArgs GroupAdd HealthCmd HealthInterval HealthLogDestination HealthMaxLogCount
	HealthMaxLogSize HealthOnFailure HealthRetries HealthStartPeriod HealthStartupCmd HealthStartupInterval HealthStartupRetries
	HealthStartupSuccess HealthStartupTimeout HealthTimeout HostName HttpProxy IP IP6 Label LogDriver LogOpt Mask Memory Mount
	NetworkAlias Notify PidsLimit Pull ReadOnlyTmpfs ReloadCmd ReloadSignal Retry RetryDelay Rootfs RunInit Secret
	SecurityLabelDisable SecurityLabelFileType SecurityLabelLevel SecurityLabelNested SecurityLabelType ServiceName ShmSize
	StartWithPod StopSignal StopTimeout SubGIDMap Timezone Tmpfs Ulimit Unmask Volume VolatileTmp`)

// yes reads a boolean of systemd.syntax(7).
func yes(s string) bool {
	return slices.Contains([]string{"1", "yes", "true", "on", "y", "t"}, strings.ToLower(s))
}

// An entry is a line of a unit.
type entry struct {
	name, value string
	line        int
}

// section reads a section of a unit: its entries, its line, and the line behind it.
func section(f File, name string) (all []entry, line, end int, err error) {
	in, n, goesOn := false, 0, false
	for raw := range bytes.Lines(f.Content) {
		n++
		text := strings.TrimSpace(string(raw))
		switch {
		case goesOn && len(all) > 0:
			more, again := strings.CutSuffix(text, `\`)
			all[len(all)-1].value += " " + strings.TrimSpace(more)
			goesOn = again
			continue
		case text == "" || text[0] == '#' || text[0] == ';':
			continue
		case text[0] == '[':
			if in = text == "["+name+"]"; in && line == 0 {
				line = n
			}
			continue
		case !in:
			continue
		}
		key, value, ok := strings.Cut(text, "=")
		if !ok {
			return nil, 0, 0, fmt.Errorf("line %d: %q is no setting", n, text)
		}
		value, goesOn = strings.CutSuffix(strings.TrimSpace(value), `\`)
		all = append(all, entry{strings.TrimSpace(key), strings.TrimSpace(value), n})
		end = n
	}
	return all, line, max(end, line), nil
}

// quadletEdits are the lines that may help, put at the end of [Container].
func quadletEdits(s Subject, end int) (all []Edit) {
	add := func(id, setting string) {
		all = append(all, Edit{
			ID: id, Summary: "for this container", Place: "[Container]", Line: end, Lines: "[Container]\n" + setting + "\n",
			change: func(content []byte) ([]byte, error) {
				lines := strings.SplitAfter(string(content), "\n")
				last := lines[end-1]
				if !strings.HasSuffix(last, "\n") {
					last += "\n"
				}
				return []byte(strings.Join(lines[:end-1], "") + last + setting + "\n" + strings.Join(lines[end:], "")), nil
			},
		})
	}
	if s.Container.Network == "" {
		add("sysctl", "Sysctl="+portStart+"="+strconv.Itoa(lowest(s.Addresses)))
	}
	add("cap-add", "AddCapability=NET_BIND_SERVICE")
	return all
}
