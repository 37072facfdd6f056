package serve

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"faultline/hwsim"
)

// Setting names one leaf of the configuration.
type Setting struct{ Resource, Kind string }

// Compare orders settings by resource, then kind.
func (s Setting) Compare(o Setting) int {
	return cmp.Or(cmp.Compare(s.Resource, o.Resource), cmp.Compare(s.Kind, o.Kind))
}

// Config is what has been set: settings that are not in it have their rest value.
type Config map[Setting]string

// Change is one edit of the configuration, or one action.
type Change struct {
	Setting
	Value  string
	Delete bool // back to the rest value
}

// Running is a copy of the configuration.
func (g *Gateway) Running() Config {
	g.mu.Lock()
	defer g.mu.Unlock()
	return View{g}.Running()
}

// Running is a copy of the configuration.
func (v View) Running() Config { return maps.Clone(Config(v.g.settings)) }

// Setting is the value in force, and whether it was set. It is empty for a setting
// that does not fit the resource.
func (v View) Setting(s Setting) (value string, set bool) {
	if value, set = v.g.settings[s]; set {
		return value, true
	}
	r, ok := v.Network().Resource(s.Resource)
	spec, known := hwsim.CommandKind(s.Kind)
	if !ok || !known || !spec.Fits(r) {
		return "", false
	}
	return spec.Rest, false
}

// Command carries out one command by people, on site or out of band: the element need
// not be reached. It heeds locks like a session of its own.
func (g *Gateway) Command(c hwsim.Command) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return View{g}.change("", false, Change{Setting: Setting{c.Resource, c.Kind}, Value: c.Value})
}

// Change makes all changes, in their order, or none. Actions come last; those that
// were done before one fails stay done. It is refused while another owner holds the lock (ErrLocked), for resources
// whose element cannot be reached (ErrUnreachable), and where the plant or Apply
// refuses.
func (g *Gateway) Change(owner string, changes ...Change) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return View{g}.Change(owner, changes...)
}

// Change is Gateway.Change within a view.
func (v View) Change(owner string, changes ...Change) error {
	return v.change(owner, true, changes...)
}

func (v View) change(owner string, ask bool, changes ...Change) error {
	if v.g.lock != "" && v.g.lock != owner {
		return ErrLocked
	}
	was, next := v.Running(), v.Running()
	var actions []hwsim.Command
	for _, c := range changes {
		spec, value, err := (hwsim.Command{Kind: c.Kind, Resource: c.Resource, Value: c.Value}).Validate(v.Network())
		switch {
		case err != nil && !c.Delete:
			return err
		case spec.Type == "action" && c.Delete:
			return fmt.Errorf("command %s: an action cannot be deleted", c.Kind)
		case spec.Type == "action":
			if ask && !v.Reachable(c.Resource) {
				return fmt.Errorf("command %s on %s: %w", c.Kind, c.Resource, ErrUnreachable)
			}
			actions = append(actions, hwsim.Command{Kind: c.Kind, Resource: c.Resource, Value: value})
		case c.Delete:
			delete(next, c.Setting)
		default:
			next[c.Setting] = value
		}
	}
	if err := v.replace(owner, next, ask); err != nil {
		return err
	}
	for _, c := range actions {
		if err := v.act(c); err != nil {
			return errors.Join(err, v.replace(owner, was, ask))
		}
	}
	if len(actions) > 0 {
		v.g.changed()
	}
	return nil
}

func (v View) act(c hwsim.Command) error {
	v.g.commands++
	if v.g.o.Apply != nil {
		if err := v.g.o.Apply(c); err != nil {
			return fmt.Errorf("command %s on %s: %w", c.Kind, c.Resource, err)
		}
	}
	if err := v.g.plant.Do(c); err != nil || c.Kind != "otdr" {
		return err
	}
	events, err := v.g.plant.OTDR(c.Resource)
	if err == nil {
		v.g.otdr[c.Resource] = Measurement{v.Now(), events}
	}
	return err
}

// Replace makes the configuration equal to next, or leaves it as it is. What differs
// is set in the order of the settings.
func (v View) Replace(owner string, next Config) error {
	return v.replace(owner, next, true)
}

// Restore is Replace by the elements themselves, as a confirmed commit that runs out
// does: they need not be reached and no lock holds them up.
func (v View) Restore(next Config) error { return v.replace(v.g.lock, next, false) }

func (v View) replace(owner string, next Config, ask bool) error {
	if v.g.lock != "" && v.g.lock != owner {
		return ErrLocked
	}
	was := v.Running()
	var differ []Setting
	for _, both := range []Config{was, next} {
		for s := range both {
			a, inA := was[s]
			b, inB := next[s]
			if a != b || inA != inB {
				differ = append(differ, s)
			}
		}
	}
	slices.SortFunc(differ, Setting.Compare)
	differ = slices.Compact(differ)
	for _, s := range differ {
		if ask && !v.Reachable(s.Resource) {
			return fmt.Errorf("set %s of %s: %w", s.Kind, s.Resource, ErrUnreachable)
		}
	}
	in := func(cfg Config, s Setting) string {
		if value, ok := cfg[s]; ok {
			return value
		}
		spec, _ := hwsim.CommandKind(s.Kind)
		return spec.Rest
	}
	for i, s := range differ {
		from, to := in(was, s), in(next, s)
		if from == to {
			continue
		}
		if err := v.act(hwsim.Command{Kind: s.Kind, Resource: s.Resource, Value: to}); err != nil {
			for _, d := range slices.Backward(differ[:i]) {
				if from, to := in(was, d), in(next, d); from != to {
					err = errors.Join(err, v.act(hwsim.Command{Kind: d.Kind, Resource: d.Resource, Value: from}))
				}
			}
			return err
		}
	}
	v.g.settings = maps.Clone(next)
	if len(differ) > 0 {
		v.g.changed()
	}
	return nil
}

// Lock gives the running configuration to one owner until Unlock. It is ErrLocked
// while someone holds it.
func (v View) Lock(owner string) error {
	if v.g.lock != "" {
		return ErrLocked
	}
	v.g.lock = owner
	return nil
}

// Unlock ends the lock of an owner; it is ErrLocked when that one does not hold it.
func (v View) Unlock(owner string) error {
	if v.g.lock != owner {
		return ErrLocked
	}
	v.g.lock = ""
	return nil
}

// LockOwner is who holds the running configuration, empty when nobody does.
func (v View) LockOwner() string { return v.g.lock }

// typed gives a setting's value as its type says.
func typed(spec hwsim.CommandSpec, value string) any {
	switch spec.Type {
	case "bool":
		return value == "true"
	case "number":
		x, _ := strconv.ParseFloat(value, 64)
		return x
	}
	return value
}
