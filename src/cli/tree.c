#include "cli/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/figures.h"

struct named {
	const char *id;
	size_t node;
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->id, ((const struct named *)b)->id);
}

static size_t find(const struct named *sorted, size_t count, const char *id)
{
	struct named wanted = { id };
	const struct named *found = bsearch(&wanted, sorted, count, sizeof wanted, compare);
	return found ? found->node : TREE_NONE;
}

static int find_parents(const json_t *spans, struct tree *tree)
{
	struct named *sorted = calloc(tree->count + 1, sizeof *sorted);
	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < tree->count; i++)
		sorted[i] = (struct named){ json_text(json_array_get(spans, i), "span_id"), i };
	qsort(sorted, tree->count, sizeof *sorted, compare);
	for (size_t i = 0; i < tree->count; i++) {
		const char *parent = json_text(json_array_get(spans, i), "parent_span_id");
		struct tree_node *node = &tree->nodes[i];
		node->parent = *parent ? find(sorted, tree->count, parent) : TREE_NONE;
		node->place = !*parent            ? TREE_ROOT :
			node->parent == TREE_NONE ? TREE_ORPHAN :
						    TREE_CHILD;
	}
	free(sorted);
	return 0;
}

/* Each node is passed once: `seen` says in which climb, numbered by where it began. */
static int open_rings(struct tree *tree)
{
	size_t *seen = calloc(tree->count + 1, sizeof *seen);
	if (!seen)
		return -ENOMEM;
	for (size_t i = 0; i < tree->count; i++) {
		size_t at = i;
		while (at != TREE_NONE && !seen[at]) {
			seen[at] = i + 1;
			at = tree->nodes[at].parent;
		}
		if (at != TREE_NONE && seen[at] == i + 1) {
			tree->nodes[at].place = TREE_RING;
			tree->nodes[at].parent = TREE_NONE;
		}
	}
	free(seen);
	return 0;
}

static void link_children(struct tree *tree)
{
	size_t last_root = TREE_NONE;
	for (size_t i = 0; i < tree->count; i++) {
		struct tree_node *parent = tree->nodes[i].parent == TREE_NONE ?
			NULL :
			&tree->nodes[tree->nodes[i].parent];
		size_t *first = parent ? &parent->first_child : &tree->first,
		       *last = parent ? &parent->last_child : &last_root;
		if (*last == TREE_NONE)
			*first = i;
		else
			tree->nodes[*last].next = i;
		*last = i;
	}
}

int tree_build(const json_t *spans, struct tree *ret_tree)
{
	struct tree tree = { .count = json_array_size(spans), .first = TREE_NONE };
	tree.nodes = calloc(tree.count + 1, sizeof *tree.nodes);
	if (!tree.nodes)
		return -ENOMEM;
	for (size_t i = 0; i < tree.count; i++)
		tree.nodes[i] = (struct tree_node){
			.first_child = TREE_NONE, .last_child = TREE_NONE, .next = TREE_NONE
		};
	int error = find_parents(spans, &tree);
	if (!error)
		error = open_rings(&tree);
	if (error) {
		tree_done(&tree);
		return error;
	}
	link_children(&tree);
	for (size_t i = tree.first; i != TREE_NONE; i = tree_next(&tree, i)) {
		size_t parent = tree.nodes[i].parent;
		tree.nodes[i].depth = parent == TREE_NONE ? 0 : tree.nodes[parent].depth + 1;
	}
	*ret_tree = tree;
	return 0;
}

void tree_done(struct tree *tree)
{
	free(tree->nodes);
	*tree = (struct tree){ 0 };
}

size_t tree_next(const struct tree *tree, size_t node)
{
	if (tree->nodes[node].first_child != TREE_NONE)
		return tree->nodes[node].first_child;
	while (node != TREE_NONE && tree->nodes[node].next == TREE_NONE)
		node = tree->nodes[node].parent;
	return node == TREE_NONE ? TREE_NONE : tree->nodes[node].next;
}
