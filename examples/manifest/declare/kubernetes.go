package declare

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	strict "sigs.k8s.io/json"
	convert "sigs.k8s.io/yaml"

	"github.com/lowport/lowport/guard/preflight"
	"github.com/lowport/lowport/internal/term"
)

// A manifest is one object of a file that makes pods, or a namespace.
type manifest struct {
	file     string
	engine   string // that starts it, "" for one of Kubernetes'
	network  string // that it is started with, "" for what it says
	userNS   bool   // it is started with a user namespace of its own
	document int
	node     *yaml.Node
	way      []string // to the object in the document, of an item of a List
	kind     string
	meta     meta.Object
	spec     []string // the path of the pod's own object
	template *core.PodTemplateSpec
}

// A podKind is a kind of object that makes pods: where in its objects the pod's template is, and the type of the
// Kubernetes API.
type podKind struct {
	template string
	object   func() meta.Object
}

var kinds = map[string]podKind{
	"v1 Pod":                   {"", func() meta.Object { return &core.Pod{} }},
	"v1 ReplicationController": {"spec.template", func() meta.Object { return &core.ReplicationController{} }},
	"v1 PodTemplate":           {"template", func() meta.Object { return &core.PodTemplate{} }},
	"apps/v1 Deployment":       {"spec.template", func() meta.Object { return &apps.Deployment{} }},
	"apps/v1 DaemonSet":        {"spec.template", func() meta.Object { return &apps.DaemonSet{} }},
	"apps/v1 StatefulSet":      {"spec.template", func() meta.Object { return &apps.StatefulSet{} }},
	"apps/v1 ReplicaSet":       {"spec.template", func() meta.Object { return &apps.ReplicaSet{} }},
	"batch/v1 Job":             {"spec.template", func() meta.Object { return &batch.Job{} }},
	"batch/v1 CronJob":         {"spec.jobTemplate.spec.template", func() meta.Object { return &batch.CronJob{} }},
}

// namespace is the other kind that is looked at.
const namespace = "v1 Namespace"

// manifestsOf reads the objects of a file.
func manifestsOf(f File) (all []manifest, err error) {
	nodes, err := documents(f.Content)
	if err != nil {
		return nil, template(f, err)
	}
	for i, n := range nodes {
		more, err := objects(f, i, n, nil)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

// objects reads a document, or an item of a List.
func objects(f File, document int, n *yaml.Node, way []string) ([]manifest, error) {
	version, kind := field(n, "apiVersion"), field(n, "kind")
	if version == nil || kind == nil {
		return nil, fmt.Errorf("line %d: it has no apiVersion and kind", n.Line)
	}
	m := manifest{file: f.Name, document: document, node: n, way: way, kind: kind.Value}
	id := version.Value + " " + kind.Value
	switch {
	case kind.Value == "List" || strings.HasSuffix(kind.Value, "List") && field(n, "items") != nil:
		var all []manifest
		items := field(n, "items")
		if items == nil {
			return nil, nil
		}
		for i, item := range items.Content {
			more, err := objects(f, document, item, append(slices.Clone(way), "items", strconv.Itoa(i)))
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		}
		return all, nil
	case strings.HasPrefix(version.Value, "kustomize.config.k8s.io/"):
		return nil, fmt.Errorf("line %d: %s", n.Line, kustomize)
	}
	known, makes := kinds[id]
	switch {
	case makes:
		return []manifest{m}, m.decode(known)
	case id == namespace:
		return []manifest{m}, m.decode(podKind{object: func() meta.Object { return &core.Namespace{} }})
	}
	for other := range kinds {
		if strings.HasSuffix(other, " "+m.kind) {
			return nil, fmt.Errorf("line %d: %s is no apiVersion of a %s", version.Line, version.Value, m.kind)
		}
	}
	return nil, nil // it makes no pods that we know of
}

// decode reads the object into the type of the Kubernetes API, which refuses what that does not
// have.
func (m *manifest) decode(k podKind) error {
	if twice := repeated(m.node); twice != nil {
		return fmt.Errorf("line %d: the %s is refused: %q is there twice", twice.Line, m.kind, twice.Value)
	}
	if err := unrendered(m.node, m.kind); err != nil {
		return err
	}
	object := k.object()
	text, err := asJSON(m.node)
	if err != nil {
		return fmt.Errorf("line %d: the %s is refused: %w", m.node.Line, m.kind, err)
	}
	more, err := strict.UnmarshalStrict(text, object)
	if err = errors.Join(append([]error{err}, more...)...); err != nil {
		return fmt.Errorf("line %d: the %s is refused: %s", m.lineOf(err.Error()), m.kind, plain(err))
	}
	if m.meta = object; m.kind == "Namespace" {
		return nil
	}
	if k.template != "" {
		m.spec = strings.Split(k.template, ".")
	}
	m.template = &core.PodTemplateSpec{}
	if err := m.part(m.template, m.spec...); err != nil {
		return err
	}
	if len(m.template.Spec.Containers) == 0 {
		return fmt.Errorf("line %d: the %s has no containers", m.node.Line, m.kind)
	}
	return m.selects()
}

// part reads a part of the object, which is of the right type.
func (m *manifest) part(into any, way ...string) error {
	n, whole := at(m.node, way...)
	if !whole {
		return nil
	}
	text, err := asJSON(n)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

func asJSON(n *yaml.Node) ([]byte, error) {
	text, err := yaml.Marshal(n)
	if err != nil {
		return nil, err
	}
	return convert.YAMLToJSON(text)
}

// selects refuses an object whose selector does not select its own pods. That of a
// ReplicationController has another form, and that of a Job is the server's.
func (m *manifest) selects() error {
	if !slices.Contains([]string{"Deployment", "DaemonSet", "StatefulSet", "ReplicaSet"}, m.kind) {
		return nil
	}
	var selector *meta.LabelSelector
	err := m.part(&selector, "spec", "selector")
	if selector == nil && err == nil {
		return nil
	}
	s, errSelector := meta.LabelSelectorAsSelector(selector)
	if err = errors.Join(err, errSelector); err != nil || !s.Matches(labelSet(m.template.Labels)) {
		return fmt.Errorf("line %d: the selector does not select its own pods", lineOf(m.node, "spec.selector"))
	}
	return nil
}

// labelSet is labels as a selector asks for them.
type labelSet map[string]string

func (l labelSet) Has(name string) bool              { _, ok := l[name]; return ok }
func (l labelSet) Get(name string) string            { return l[name] }
func (l labelSet) Lookup(name string) (string, bool) { v, ok := l[name]; return v, ok }

var (
	named = regexp.MustCompile(`field "([^"]+)"`)
	typed = regexp.MustCompile(`Go struct field [A-Za-z]+\.([A-Za-z0-9_.\[\]]+) of type`)
)

// lineOf finds the line that the decoder's error is about: by the path it names, or by the line
// in the object.
func (m *manifest) lineOf(text string) int {
	for _, by := range []*regexp.Regexp{named, typed} {
		if found := by.FindStringSubmatch(text); found != nil {
			return lineOf(m.node, found[1])
		}
	}
	return m.node.Line
}

// plain words the decoder's errors.
func plain(err error) string {
	first, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimPrefix(strings.TrimPrefix(first, "strict decoding error: "), "json: ")
}

// enforced is what the namespaces of the files enforce.
func enforced(all []manifest) (map[string]api.LevelVersion, error) {
	levels := map[string]api.LevelVersion{}
	for _, m := range all {
		if m.kind != "Namespace" {
			continue
		}
		level, err := api.ParseLevel(m.meta.GetLabels()[api.EnforceLevelLabel])
		if m.meta.GetLabels()[api.EnforceLevelLabel] == "" {
			level, err = api.LevelPrivileged, nil
		}
		version := api.LatestVersion()
		if v := m.meta.GetLabels()[api.EnforceVersionLabel]; v != "" && err == nil {
			version, err = api.ParseVersion(v)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", m.file, m.node.Line, err)
		}
		levels[m.meta.GetName()] = api.LevelVersion{Level: level, Version: version}
	}
	return levels, nil
}

// pods returns the containers of the objects.
func pods(all []manifest, o Options) (subjects []Subject, err error) {
	levels, err := enforced(all)
	if err != nil {
		return nil, err
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return nil, err
	}
	forbids := func(m manifest, level api.LevelVersion) []string {
		results := evaluator.EvaluatePod(level, &m.template.ObjectMeta, &m.template.Spec)
		return policy.AggregateCheckResults(results).ForbiddenReasons
	}
	namespaces := map[string]*yaml.Node{}
	for _, m := range all {
		if m.kind == "Namespace" {
			namespaces[m.meta.GetName()] = m.node
		}
	}
	for _, m := range all {
		if m.template == nil {
			continue
		}
		standard := 0
		for i, level := range []api.Level{api.LevelPrivileged, api.LevelBaseline, api.LevelRestricted} {
			if len(forbids(m, api.LevelVersion{Level: level, Version: api.LatestVersion()})) == 0 {
				standard = i
			}
		}
		refused := m.invalid()
		if level, ok := levels[m.meta.GetNamespace()]; ok && refused == nil {
			if reasons := forbids(m, level); len(reasons) > 0 {
				refused = fmt.Errorf("Pod Security (%s) refuses the pod: %s", level.Level, strings.Join(reasons, ", "))
			}
		}
		alone, err := m.alone(namespaces[m.meta.GetNamespace()])
		if err != nil {
			return nil, err
		}
		for _, s := range m.containers(o) {
			s.Alone = alone
			s.Against = forbids(m, api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()})
			if s.Standard = standard; s.Refused == nil {
				s.Refused = refused
			}
			subjects = append(subjects, s)
		}
	}
	return subjects, nil
}

// alone is a file with nothing but the object and its namespace, nil for an object that podman is
// told of by a unit.
func (m *manifest) alone(namespace *yaml.Node) ([]byte, error) {
	if m.engine != "" {
		return nil, nil
	}
	text, err := yaml.Marshal(m.node)
	if err != nil || namespace == nil {
		return text, err
	}
	more, err := yaml.Marshal(namespace)
	return slices.Concat(text, []byte("---\n"), more), err
}

// invalid says why the API server or the kubelet starts nothing of the pod.
func (m *manifest) invalid() error {
	spec := m.template.Spec
	switch {
	case spec.OS != nil && spec.OS.Name != core.Linux:
		return fmt.Errorf("the pod is for %s", spec.OS.Name)
	case spec.HostNetwork && spec.HostUsers != nil && !*spec.HostUsers:
		return errors.New("a pod on its node's network has no user namespace of its own (hostUsers)")
	}
	for _, c := range spec.Containers {
		for _, p := range c.Ports {
			if spec.HostNetwork && p.HostPort != 0 && p.HostPort != p.ContainerPort {
				return fmt.Errorf("on the node's network hostPort %d has to be containerPort %d", p.HostPort, p.ContainerPort)
			}
		}
	}
	return nil
}

// containers returns the containers of a pod. Those of init end before the others, unless
// they restart always.
func (m *manifest) containers(o Options) (all []Subject) {
	for _, list := range []struct {
		name string
		all  []core.Container
	}{{"containers", m.template.Spec.Containers}, {"initContainers", m.template.Spec.InitContainers}} {
		for i, c := range list.all {
			once := list.name == "initContainers" && (c.RestartPolicy == nil || *c.RestartPolicy != core.ContainerRestartPolicyAlways)
			all = append(all, m.container(c, o, once, list.name, strconv.Itoa(i)))
		}
	}
	return all
}

// container translates a container, with what its pod says for all.
func (m *manifest) container(in core.Container, o Options, once bool, where ...string) Subject {
	spec := m.template.Spec
	place := slices.Concat(m.spec, []string{"spec"}, where)
	node, _ := at(m.node, place...)
	name := m.kind + " " + m.meta.GetName()
	if m.meta.GetNamespace() != "" {
		name = m.kind + " " + m.meta.GetNamespace() + "/" + m.meta.GetName()
	}
	s := Subject{
		File: m.file, Line: node.Line, Name: name + ", container " + in.Name, Short: in.Name, Ref: in.Image,
		HostPID: spec.HostPID, Command: in.Command, Args: in.Args, Once: once,
		Container: preflight.Container{Engine: or(o.Engine, or(m.engine, "kubernetes")), Dir: in.WorkingDir, Sysctls: map[string]string{}},
	}
	pod, own := spec.SecurityContext, in.SecurityContext
	if pod == nil {
		pod = &core.PodSecurityContext{}
	}
	if own == nil {
		own = &core.SecurityContext{}
	}
	for _, v := range pod.Sysctls {
		s.Container.Sysctls[v.Name] = v.Value
	}
	for _, e := range in.Env {
		if e.ValueFrom == nil {
			s.Container.Env = append(s.Container.Env, e.Name+"="+e.Value)
		}
	}
	m.user(&s, pod, own)
	c := &s.Container
	c.NoNewPrivs = own.AllowPrivilegeEscalation != nil && !*own.AllowPrivilegeEscalation
	c.Privileged = own.Privileged != nil && *own.Privileged
	s.ReadOnly = own.ReadOnlyRootFilesystem != nil && *own.ReadOnlyRootFilesystem
	c.ReadOnly = s.ReadOnly
	seccomp(c, pod.SeccompProfile, own.SeccompProfile)
	if own.Capabilities != nil {
		for _, name := range own.Capabilities.Add {
			c.AddCaps = append(c.AddCaps, string(name))
		}
		for _, name := range own.Capabilities.Drop {
			c.DropCaps = append(c.DropCaps, string(name))
		}
	}
	if c.Network = m.network; spec.HostNetwork {
		c.Network = "host"
	}
	c.UserNS = m.userNS || spec.HostUsers != nil && !*spec.HostUsers
	for _, p := range in.Ports {
		s.Addresses = append(s.Addresses, low(strconv.Itoa(int(p.ContainerPort)), string(p.Protocol))...)
	}
	s.Addresses = unique(s.Addresses)
	s.Edits = m.edits(s, place)
	return s
}

// seccomp is the filter that is asked for. Without a profile the kubelet asks for none, unless it
// runs with --seccomp-default. A profile of the node is not known.
func seccomp(c *preflight.Container, pod, own *core.SeccompProfile) {
	if own == nil {
		own = pod
	}
	switch {
	case own == nil || own.Type == core.SeccompProfileTypeUnconfined:
		c.Unconfined = true
	case own.Type == core.SeccompProfileTypeLocalhost:
		c.Seccomp = []byte{}
	}
}

// user is who the kubelet starts the container as.
func (m *manifest) user(s *Subject, pod *core.PodSecurityContext, own *core.SecurityContext) {
	uid, gid, notRoot := own.RunAsUser, own.RunAsGroup, own.RunAsNonRoot
	if uid == nil {
		uid = pod.RunAsUser
	}
	if gid == nil {
		gid = pod.RunAsGroup
	}
	if notRoot == nil {
		notRoot = pod.RunAsNonRoot
	}
	s.NotRoot = notRoot != nil && *notRoot
	if gid != nil {
		s.Group = strconv.FormatInt(*gid, 10)
	}
	if uid == nil {
		return
	}
	s.HasUser = true
	s.Container.User = strconv.FormatInt(*uid, 10)
	if s.Group != "" {
		s.Container.User += ":" + s.Group
	}
	if *uid == 0 && s.NotRoot {
		s.Refused = errors.New("runAsNonRoot: the kubelet does not start it, as runAsUser is 0")
	}
}

// edits are the changes of the manifest that may help.
func (m *manifest) edits(s Subject, place []string) (all []Edit) {
	pod := slices.Concat(m.spec, []string{"spec"})
	add := func(id, summary string, way []string, lines string, change func(*yaml.Node) error) {
		there, _ := at(m.node, way...)
		within := func(way []string) func(*yaml.Node) error {
			return func(n *yaml.Node) error {
				into, err := mapping(n, way...)
				if err != nil {
					return err
				}
				return change(into)
			}
		}
		all = append(all, Edit{
			ID: id, Summary: summary, Place: dotted(way), Line: there.Line, Lines: indented(m.node, way, lines),
			change: edited(m.document, within(slices.Concat(m.way, way))), alone: edited(0, within(way)),
		})
	}
	port := strconv.Itoa(lowest(s.Addresses))
	if s.Container.Network == "" {
		add("sysctl", "for every container of the pod", append(slices.Clone(pod), "securityContext"),
			"sysctls:\n- name: "+portStart+"\n  value: \""+port+"\"\n", func(n *yaml.Node) error {
				sysctls := list(n, "sysctls")
				for _, item := range sysctls.Content {
					if name := field(item, "name"); name != nil && name.Value == portStart {
						set(item, "value", port)
						return nil
					}
				}
				item := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
				set(item, "name", portStart)
				set(item, "value", port)
				sysctls.Content = append(sysctls.Content, item)
				return nil
			})
	}
	add("cap-add", "for this container", append(slices.Clone(place), "securityContext", "capabilities"),
		"add: [\"NET_BIND_SERVICE\"]\n", func(n *yaml.Node) error {
			names := list(n, "add")
			names.Content = append(names.Content, scalar("NET_BIND_SERVICE"))
			if drop := field(n, "drop"); drop != nil { // what is dropped by name stays dropped
				drop.Content = slices.DeleteFunc(drop.Content, func(d *yaml.Node) bool {
					return strings.TrimPrefix(strings.ToUpper(d.Value), "CAP_") == "NET_BIND_SERVICE"
				})
			}
			return nil
		})
	return all
}

// indented shows lines at their place in the file.
func indented(n *yaml.Node, way []string, lines string) string {
	var b strings.Builder
	margin, mark := "", ""
	for _, name := range way {
		item, whole := at(n, name)
		if n = item; !whole {
			n = &yaml.Node{}
		}
		if _, err := strconv.Atoi(name); err == nil {
			mark = "- "
			if is := field(n, "name"); is != nil {
				fmt.Fprintf(&b, "%s- name: %s\n", margin, written(is.Value))
				margin, mark = margin+"  ", ""
			}
			continue
		}
		fmt.Fprintf(&b, "%s%s%s:\n", margin, mark, written(name))
		margin, mark = margin+strings.Repeat(" ", len(mark))+"  ", ""
	}
	for line := range strings.Lines(lines) {
		b.WriteString(margin + line)
	}
	return b.String()
}

// written is a string as YAML has it, in printable characters: those of Go's quotes are YAML's too.
func written(s string) string {
	if shown := term.Show(s); shown != s {
		return shown
	}
	text, err := yaml.Marshal(s)
	if err != nil {
		return strconv.Quote(s)
	}
	return strings.TrimSuffix(string(text), "\n")
}

// dotted is a path as Kubernetes writes it: "spec.containers[0].image".
func dotted(way []string) (s string) {
	for _, name := range way {
		switch _, err := strconv.Atoi(name); {
		case err == nil:
			s += "[" + name + "]"
		case s == "":
			s = name
		default:
			s += "." + name
		}
	}
	return s
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
