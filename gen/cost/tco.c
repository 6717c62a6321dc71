// SPDX-License-Identifier: Apache-2.0
// Owns the comparison with servers that are bought.
#include <math.h>

#include "gen/cost/cost.h"

#define K(name) k[HW_K_##name]
#define HOURS_YEAR 8766.0

double hw_server_usd_mtok(const double k[HW_N_CONSTANTS], double price_usd, double watts,
                          double tokens_s)
{
    double year = price_usd / K(server_life_years) + watts / 1e3 * K(pue) * HOURS_YEAR * K(usd_kwh);
    return year / (tokens_s * K(utilisation) * 3600.0 * HOURS_YEAR / 1e6);
}

void hw_compare(const struct hw_constants *c, const double r[HW_N_RESULTS],
                const struct hw_server *server, struct hw_comparison *out)
{
    const struct hw_server *s = server;
    double k[HW_N_CONSTANTS];
    hw_constants_middle(c, k);
    out->server = s;
    out->usd_mtok = hw_server_usd_mtok(k, s->price_usd.value, s->watts.value, s->tokens_s.value);
    out->low = hw_server_usd_mtok(k, s->price_usd.low, s->watts.low, s->tokens_s.high);
    out->high = hw_server_usd_mtok(k, s->price_usd.high, s->watts.high, s->tokens_s.low);
    out->speed = r[HW_R_tokens_s_user] / s->tokens_s_user.value;
    // usd_mtok(volume) = marginal + nre / volume / mtok: solved for the volume.
    double life = fmin(K(life_years), 1.0 / K(models_year)), mtok_year = r[HW_R_tokens_life] / life;
    double years = fmax(K(server_life_years), life);
    double nre = (r[HW_R_nre_usd] + r[HW_R_respin_usd] * (years / life - 1.0)) / years;
    double saved = out->usd_mtok - r[HW_R_marginal_usd_mtok];
    out->break_even_replicas = saved > 0.0 ? nre / (saved * mtok_year) : INFINITY;
    out->break_even_mtok = out->break_even_replicas * r[HW_R_tokens_life];
}
