package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"faultline/cmd/internal/app"
	"faultline/graph"
)

func (p *program) kbCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "kb", Short: "Look into the knowledge: entities, relations, sources, texts", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.PersistentFlags().BoolVar(&p.json, "json", false, "print JSON")
	c.AddCommand(p.kbEntities(), p.kbEntity(), p.kbRelations(), p.kbSources(), p.kbDrop(), p.kbSearch(), p.kbCoverage())
	return c
}

// reading runs do on the library.
func (p *program) reading(c *cobra.Command, do func(ctx context.Context, lib library) error) (err error) {
	lib, err := p.library(c.Context())
	if err != nil {
		return err
	}
	defer closing(lib, &err)
	return do(c.Context(), lib)
}

func (p *program) kbEntities() *cobra.Command {
	var q graph.Query
	c := &cobra.Command{
		Use: "entities", Short: "List entities", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.reading(c, func(ctx context.Context, lib library) error {
				limit := q.Limit
				if limit > 0 {
					q.Limit++ // one more tells whether there are more
				}
				list, err := collect(lib.Find(ctx, q))
				if err != nil {
					return err
				}
				more := limit > 0 && len(list) > limit
				if more {
					list = list[:limit]
				}
				if p.json {
					return p.screen.jsonOut(full(list))
				}
				rows := [][]string{{"ID", "KIND", "ROLE", "DOMAIN", "NAME"}}
				for _, e := range list {
					rows = append(rows, []string{string(e.ID), string(e.Kind), e.Role, e.Domain, e.Name})
				}
				if err := p.screen.table(rows); err != nil {
					return err
				}
				if more {
					p.screen.say("there are more; see --limit")
				}
				return nil
			})
		},
	}
	c.Flags().StringVar((*string)(&q.Kind), "kind", "", "of this kind, for example NE")
	c.Flags().StringVar(&q.Domain, "domain", "", "of this domain")
	c.Flags().StringVar(&q.Text, "q", "", "with this text in id or name")
	c.Flags().IntVar(&q.Limit, "limit", 100, "at most so many; 0 for all")
	return c
}

// entityView is an entity with what is around it and why it is there.
type entityView struct {
	graph.Entity
	Relations     []graph.Relation     `json:"relations"`
	Contributions []graph.Contribution `json:"contributions"`
}

func (p *program) kbEntity() *cobra.Command {
	return &cobra.Command{
		Use: "entity ID", Short: "Show an entity, its relations, and who stated it", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.reading(c, func(ctx context.Context, lib library) error {
				id := graph.ID(args[0])
				var v entityView
				var err error
				if v.Entity, err = lib.Entity(ctx, id, graph.AsOf{}); err != nil {
					return fmt.Errorf("entity %s: %w", id, err)
				}
				if v.Relations, err = collect(lib.Relations(ctx, id, graph.Filter{Dir: graph.Both})); err != nil {
					return err
				}
				if v.Contributions, err = lib.EntityContributions(ctx, id); err != nil {
					return err
				}
				if p.json {
					v.Relations, v.Contributions = full(v.Relations), full(v.Contributions)
					return p.screen.jsonOut(v)
				}
				return p.entity(v)
			})
		},
	}
}

func (p *program) entity(v entityView) error {
	rows := [][]string{{"id", string(v.ID)}, {"kind", string(v.Kind)}}
	for _, f := range [][]string{{"role", v.Role}, {"name", v.Name}, {"domain", v.Domain}} {
		if f[1] != "" {
			rows = append(rows, f)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(v.Attrs)) {
		rows = append(rows, []string{k, v.Attrs[k]})
	}
	if err := p.screen.table(rows); err != nil {
		return err
	}
	fmt.Fprintln(p.screen)
	if err := p.relations(v.Relations); err != nil {
		return err
	}
	fmt.Fprintln(p.screen)
	rows = [][]string{{"SOURCE", "RULE", "SPAN", "CONFIDENCE", "RECORDED", "WITHDRAWN"}}
	for _, c := range v.Contributions {
		confidence, withdrawn := "", ""
		if c.Confidence > 0 {
			confidence = fmt.Sprintf("%.2f", c.Confidence)
		}
		if !c.Retracted.IsZero() {
			withdrawn = c.Retracted.UTC().Format(time.RFC3339)
		}
		rows = append(rows, []string{c.Source, c.Rule, c.Span, confidence, c.Recorded.UTC().Format(time.RFC3339), withdrawn})
	}
	return p.screen.table(rows)
}

func (p *program) relations(list []graph.Relation) error {
	rows := [][]string{{"FROM", "RELATION", "TO", "QUALIFIER"}}
	for _, r := range list {
		rows = append(rows, []string{string(r.From), string(r.Type), string(r.To), r.Qualifier})
	}
	return p.screen.table(rows)
}

func (p *program) kbRelations() *cobra.Command {
	var types []string
	c := &cobra.Command{
		Use: "relations ID", Short: "List the relations of an entity", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.reading(c, func(ctx context.Context, lib library) error {
				f := graph.Filter{Dir: graph.Both}
				for _, t := range types {
					f.Types = append(f.Types, graph.RelationType(strings.ToUpper(t)))
				}
				list, err := collect(lib.Relations(ctx, graph.ID(args[0]), f))
				if err != nil {
					return err
				}
				if p.json {
					return p.screen.jsonOut(full(list))
				}
				return p.relations(list)
			})
		},
	}
	c.Flags().StringSliceVar(&types, "type", nil, "of these types alone, for example POWERS,CONTAINS")
	return c
}

func (p *program) kbSources() *cobra.Command {
	return &cobra.Command{
		Use: "sources", Short: "List the sources, each of which can be dropped", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.reading(c, func(ctx context.Context, lib library) error {
				list, err := lib.AllSources(ctx)
				if err != nil {
					return err
				}
				if p.json {
					return p.screen.jsonOut(full(list))
				}
				rows := [][]string{{"SOURCE", "ENTITIES", "RELATIONS", "ALARM EVENTS"}}
				for _, s := range list {
					events := ""
					if s.Events > 0 {
						events = fmt.Sprint(s.Events)
					}
					rows = append(rows, []string{s.Source, fmt.Sprint(s.Entities), fmt.Sprint(s.Relations), events})
				}
				return p.screen.table(rows)
			})
		},
	}
}

func (p *program) kbDrop() *cobra.Command {
	return &cobra.Command{
		Use: "drop SOURCE", Short: "Withdraw everything that a source stated, and nothing else", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) (err error) {
			a, err := p.open(c.Context())
			if err != nil {
				return err
			}
			defer closing(a, &err)
			d, err := a.DropSource(c.Context(), args[0])
			if err != nil {
				return err
			}
			analysed, err := p.analyse(c.Context(), a)
			if err != nil {
				return err
			}
			if p.json {
				return p.screen.jsonOut(struct {
					Source string `json:"source"`
					app.Dropped
					Analysed int `json:"analysed"`
				}{args[0], d, analysed})
			}
			_, err = fmt.Fprintf(p.screen, "%s: withdrew what it stated of %d entities and %d relations, and %d alarm events; %d incidents analysed again\n",
				args[0], d.Entities, d.Relations, d.Records, analysed)
			return err
		},
	}
}

func (p *program) kbSearch() *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use: "search WORDS...", Short: "Find passages, work orders, entities and cases by words", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, words []string) error {
			return p.reading(c, func(ctx context.Context, lib library) error {
				hits, err := lib.Search(ctx, strings.Join(words, " "), limit)
				if err != nil {
					return err
				}
				if p.json {
					return p.screen.jsonOut(full(hits))
				}
				for i, h := range hits {
					fmt.Fprintf(p.screen, "%2d. %s  (%s, score %.4f: words %.2f, graph %.4f)\n", i+1, h.Title, h.Kind, h.Score, h.Lexical, h.Graph)
					fmt.Fprintf(p.screen, "    %s\n    why: %s\n    %s\n", h.Source, h.Why, app.OneLine(h.Text, 160))
				}
				if len(hits) == 0 {
					p.screen.say("nothing found")
				}
				return nil
			})
		},
	}
	c.Flags().IntVar(&limit, "limit", 5, "at most so many, up to 100")
	return c
}

// coverage says which alarm types no manual defines.
type coverage struct {
	AlarmTypes int            `json:"alarm_types"`
	Defined    int            `json:"defined"`
	Missing    []graph.Entity `json:"missing"` // by domain, then id
}

func (p *program) kbCoverage() *cobra.Command {
	return &cobra.Command{
		Use: "coverage", Short: "List the alarm types that no manual passage defines", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.reading(c, func(ctx context.Context, lib library) error {
				v, err := coverageOf(ctx, lib)
				if err != nil {
					return err
				}
				if p.json {
					return p.screen.jsonOut(v)
				}
				fmt.Fprintf(p.screen, "%d of %d alarm types have a passage that defines them\n", v.Defined, v.AlarmTypes)
				if len(v.Missing) == 0 {
					return nil
				}
				rows := [][]string{{"WITHOUT", "DOMAIN", "NAME"}}
				for _, e := range v.Missing {
					rows = append(rows, []string{string(e.ID), e.Domain, e.Name})
				}
				return p.screen.table(rows)
			})
		},
	}
}

func coverageOf(ctx context.Context, g graph.Reader) (coverage, error) {
	v := coverage{Missing: []graph.Entity{}}
	types, err := collect(g.Find(ctx, graph.Query{Kind: graph.KindAlarmType}))
	if err != nil {
		return v, err
	}
	v.AlarmTypes = len(types)
	for _, e := range types {
		by, err := collect(g.Relations(ctx, e.ID, graph.Filter{Dir: graph.In, Types: []graph.RelationType{graph.Defines}}))
		switch {
		case err != nil:
			return v, err
		case len(by) > 0:
			v.Defined++
		default:
			v.Missing = append(v.Missing, e)
		}
	}
	slices.SortStableFunc(v.Missing, func(x, y graph.Entity) int { return strings.Compare(x.Domain, y.Domain) })
	return v, nil
}
