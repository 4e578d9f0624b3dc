package main

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

// pods is a manifest with one namespace and one thing that makes pods in it.
type pods struct {
	namespace core.Namespace
	template  core.PodTemplateSpec
	selector  *meta.LabelSelector
	in        string // the namespace that it names
}

// manifest decodes the manifest into the types of the Kubernetes API. A field that they do
// not have is an error, as is one that is there twice.
func manifest(content []byte) (pods, error) {
	var p pods
	for _, document := range bytes.Split(content, []byte("\n---\n")) {
		var kind meta.TypeMeta
		if err := yaml.Unmarshal(document, &kind); err != nil {
			return p, err
		}
		var err error
		switch kind.APIVersion + " " + kind.Kind {
		case "v1 Namespace":
			err = yaml.UnmarshalStrict(document, &p.namespace)
		case "apps/v1 Deployment":
			var d apps.Deployment
			err = yaml.UnmarshalStrict(document, &d)
			p.template, p.selector, p.in = d.Spec.Template, d.Spec.Selector, d.Namespace
		case "apps/v1 DaemonSet":
			var d apps.DaemonSet
			err = yaml.UnmarshalStrict(document, &d)
			p.template, p.selector, p.in = d.Spec.Template, d.Spec.Selector, d.Namespace
		default:
			err = fmt.Errorf("no test knows a %s %s", kind.APIVersion, kind.Kind)
		}
		if err != nil {
			return p, err
		}
	}
	if p.in == "" || p.in != p.namespace.Name {
		return p, fmt.Errorf("namespace %q, and in it %q", p.namespace.Name, p.in)
	}
	if s, err := meta.LabelSelectorAsSelector(p.selector); err != nil || !s.Matches(labelSet(p.template.Labels)) {
		return p, fmt.Errorf("the selector does not select its own pods: %v", err)
	}
	return p, nil
}

// forbidden is what the Pod Security admission of Kubernetes has against the pods.
func (p pods) forbidden(level api.Level) ([]string, error) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return nil, err
	}
	results := evaluator.EvaluatePod(api.LevelVersion{Level: level, Version: api.LatestVersion()}, &p.template.ObjectMeta, &p.template.Spec)
	return policy.AggregateCheckResults(results).ForbiddenReasons, nil
}

// container translates a container of the pods, with what the pod says for all.
func (p pods) container(name string) (container, error) {
	spec := p.template.Spec.DeepCopy()
	var in *core.Container
	for _, list := range [][]core.Container{spec.InitContainers, spec.Containers} {
		for i := range list {
			if list[i].Name == name {
				in = &list[i]
			}
		}
	}
	if in == nil {
		return container{}, fmt.Errorf("no container %q", name)
	}
	pod, own := spec.SecurityContext, in.SecurityContext
	if pod == nil || own == nil || own.Capabilities == nil || pod.SeccompProfile == nil {
		return container{}, errors.New("a security context is missing")
	}
	c := container{permits: true, command: in.Command, args: in.Args, hostNetwork: spec.HostNetwork, hostPID: spec.HostPID, sysctls: map[string]string{}}
	for _, s := range pod.Sysctls {
		c.sysctls[s.Name] = s.Value
	}
	c.uid = first(own.RunAsUser, pod.RunAsUser)
	c.gid = first(own.RunAsGroup, pod.RunAsGroup)
	if c.uid == 0 && (is(own.RunAsNonRoot) || own.RunAsNonRoot == nil && is(pod.RunAsNonRoot)) {
		return container{}, errors.New("the kubelet would not start it: root, and runAsNonRoot")
	}
	c.noNewPrivs = own.AllowPrivilegeEscalation != nil && !*own.AllowPrivilegeEscalation
	c.readOnly = is(own.ReadOnlyRootFilesystem)
	c.defaultSeccomp = pod.SeccompProfile.Type == core.SeccompProfileTypeRuntimeDefault
	for _, name := range own.Capabilities.Drop {
		c.drop = append(c.drop, string(name))
	}
	for _, name := range own.Capabilities.Add {
		c.add = append(c.add, string(name))
	}

	// What is left has to be nothing that the kernel would hear of.
	pod.Sysctls, pod.RunAsUser, pod.RunAsGroup, pod.RunAsNonRoot = nil, nil, nil, nil
	if pod.SeccompProfile.LocalhostProfile == nil {
		pod.SeccompProfile = nil
	}
	own.RunAsUser, own.RunAsGroup, own.RunAsNonRoot = nil, nil, nil
	own.AllowPrivilegeEscalation, own.ReadOnlyRootFilesystem, own.Capabilities = nil, nil, nil
	if !reflect.DeepEqual(*pod, core.PodSecurityContext{}) || !reflect.DeepEqual(*own, core.SecurityContext{}) {
		return container{}, fmt.Errorf("not translated: %v, %v", pod, own)
	}
	in.Name, in.Image, in.Command, in.Args = "", "", nil, nil
	in.Ports, in.ReadinessProbe, in.SecurityContext = nil, nil, nil
	if !reflect.DeepEqual(*in, core.Container{}) {
		return container{}, fmt.Errorf("not translated: %+v", *in)
	}
	spec.InitContainers, spec.Containers, spec.SecurityContext, spec.Tolerations = nil, nil, nil, nil
	spec.HostNetwork, spec.HostPID, spec.DNSPolicy, spec.AutomountServiceAccountToken = false, false, "", nil
	if !reflect.DeepEqual(*spec, core.PodSpec{}) {
		return container{}, fmt.Errorf("not translated: %+v", *spec)
	}
	return c, nil
}

func is(b *bool) bool { return b != nil && *b }

// first is the first that is set: what a container says goes before what its pod says.
func first(values ...*int64) int64 {
	for _, v := range values {
		if v != nil {
			return *v
		}
	}
	return 0
}

// labelSet is labels as a selector asks for them.
type labelSet map[string]string

func (l labelSet) Has(name string) bool              { _, ok := l[name]; return ok }
func (l labelSet) Get(name string) string            { return l[name] }
func (l labelSet) Lookup(name string) (string, bool) { v, ok := l[name]; return v, ok }
