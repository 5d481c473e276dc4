#include "watch/balance.h"

#include "spool/ledger.h"

json_t *balance_json(const struct balance *balance)
{
	json_t *object = json_pack("{s:s, s:s, s:b, s:I, s:I}", "destination", balance->destination,
		"lane", balance->lane, "configured", balance->is_live, "accepted",
		(json_int_t)balance->sums.accepted, "waiting", (json_int_t)balance->waiting);
	for (int i = 0; i < OUTCOME_COUNT && object; i++)
		if (json_object_set_new(
			    object, outcome_name(i), json_integer(balance->sums.finished[i])) < 0) {
			json_decref(object);
			object = NULL;
		}
	return object;
}
