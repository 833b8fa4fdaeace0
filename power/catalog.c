/* SPDX-License-Identifier: Apache-2.0 */
#include "power/catalog.h"

#include <string.h>

static const struct bl_power_entry catalog[] = {
    { { "HpProLiantMl110G3PentiumD930",
        { 105000, 112000, 118000, 125000, 131000, 137000, 147000, 153000,
          157000, 164000, 169000 } },
      "HP ProLiant ML110 G3, Pentium D 930, 2 cores, 3000 MHz, 2006" },
    { { "HpProLiantMl110G4Xeon3040",
        { 86000, 89400, 92600, 96000, 99500, 102000, 106000, 108000, 112000,
          114000, 117000 } },
      "HP ProLiant ML110 G4, Xeon 3040, 2 cores, 1860 MHz, 2006" },
    { { "HpProLiantMl110G5Xeon3075",
        { 93700, 97000, 101000, 105000, 110000, 116000, 121000, 125000, 129000,
          133000, 135000 } },
      "HP ProLiant ML110 G5, Xeon 3075, 2 cores, 2660 MHz, 2008" },
    { { "AcerAltosG540M2XeonX5570",
        { 121000, 130000, 140000, 151000, 162000, 178000, 193000, 209000,
          225000, 242000, 254000 } },
      "Acer Altos G540 M2, 2 x Xeon X5570, 8 cores, 2930 MHz, 2009" },
    { { "DellR710XeonX5570",
        { 65000, 96800, 111000, 121000, 131000, 141000, 153000, 170000, 186000,
          204000, 220000 } },
      "Dell PowerEdge R710, 2 x Xeon X5570, 8 cores, 2933 MHz, 2009" },
    { { "HpDl360G6XeonX5570",
        { 88400, 117000, 131000, 144000, 155000, 167000, 183000, 197000, 212000,
          230000, 245000 } },
      "HP ProLiant DL360 G6, 2 x Xeon X5570, 8 cores, 2933 MHz, 2009" },
    { { "IbmX3250XeonX3470",
        { 41600, 46700, 52300, 57900, 65400, 73000, 80700, 89500, 99600, 105000,
          113000 } },
      "IBM System x3250 M3, Xeon X3470, 4 cores, 2933 MHz, 2009" },
    { { "IbmX3250XeonX3480",
        { 42300, 46700, 49700, 55400, 61800, 69300, 76100, 87000, 96100, 106000,
          113000 } },
      "IBM System x3250 M3, Xeon X3480, 4 cores, 3067 MHz, 2010" },
    { { "IbmX3550XeonX5670",
        { 66000, 107000, 120000, 131000, 143000, 156000, 173000, 191000, 211000,
          229000, 247000 } },
      "IBM System x3550 M3, 2 x Xeon X5670, 12 cores, 2933 MHz, 2010" },
    { { "IbmX3550XeonX5675",
        { 58400, 98000, 109000, 118000, 128000, 140000, 153000, 170000, 189000,
          205000, 222000 } },
      "IBM System x3550 M3, 2 x Xeon X5675, 12 cores, 3067 MHz, 2011" },
    { { "DellR620XeonE52660",
        { 56100, 78600, 89000, 99400, 119000, 129000, 144000, 166000, 191000,
          218000, 258000 } },
      "Dell PowerEdge R620, 2 x Xeon E5-2660, 16 cores, 2200 MHz, 2012" },
    { { "HpDl385pGen8Opteron6380",
        { 66600, 123000, 144000, 163000, 181000, 196000, 230000, 252000, 272000,
          290000, 306000 } },
      "HP ProLiant DL385p Gen8, 2 x Opteron 6380, 32 cores, 2500 MHz, 2012" },
    { { "HuaweiRh2288hV2XeonE52660v2",
        { 52000, 77100, 86900, 96400, 105000, 114000, 125000, 137000, 148000,
          175000, 202000 } },
      "Huawei RH2288H V2-8, 2 x Xeon E5-2660 v2, 20 cores, 2200 MHz, 2013" },
    { { "HuaweiRh2288hV3XeonE52699v3",
        { 44800, 83200, 96600, 110000, 125000, 141000, 160000, 183000, 208000,
          237000, 266000 } },
      "Huawei FusionServer RH2288H V3, 2 x Xeon E5-2699 v3, 36 cores, "
      "2300 MHz, 2015" },
    { { "DellR730XeonE52699v4",
        { 44600, 84800, 102000, 120000, 136000, 150000, 163000, 181000, 205000,
          238000, 272000 } },
      "Dell PowerEdge R730, 2 x Xeon E5-2699 v4, 44 cores, 2200 MHz, 2016" },
    { { "HpDl560Gen9XeonE54669v3",
        { 86300, 178000, 218000, 257000, 289000, 315000, 340000, 382000, 433000,
          498000, 557000 } },
      "HP ProLiant DL560 Gen9, 4 x Xeon E5-4669 v3, 72 cores, 2100 MHz, 2016" },
    { { "FujitsuRx1330M3XeonE31230v6",
        { 13100, 17500, 20500, 23000, 25400, 28200, 31900, 37300, 44500, 51500,
          56100 } },
      "Fujitsu PRIMERGY RX1330 M3, Xeon E3-1230 v6, 4 cores, 3500 MHz, 2017" },
    { { "HpeDl360Gen10Xeon8180Single",
        { 38700, 68900, 82200, 94600, 107000, 121000, 138000, 156000, 178000,
          210000, 233000 } },
      "HPE ProLiant DL360 Gen10, Xeon Platinum 8180, 28 cores, 2500 MHz, "
      "2017" },
    { { "HpeDl360Gen10Xeon8180",
        { 50000, 116000, 140000, 162000, 186000, 213000, 247000, 287000, 339000,
          404000, 448000 } },
      "HPE ProLiant DL360 Gen10, 2 x Xeon Platinum 8180, 56 cores, 2500 "
      "MHz, 2017" },
    { { "FujitsuRx2540M5Xeon8280L",
        { 58300, 112000, 132000, 150000, 169000, 189000, 213000, 242000, 276000,
          322000, 388000 } },
      "Fujitsu PRIMERGY RX2540 M5, 2 x Xeon Platinum 8280L, 56 cores, "
      "2700 MHz, 2019" },
    { { "FujitsuRx2520M5XeonGold5220",
        { 61500, 106000, 122000, 137000, 151000, 167000, 188000, 212000, 240000,
          277000, 318000 } },
      "Fujitsu PRIMERGY RX2520 M5, 2 x Xeon Gold 5220, 36 cores, 2200 MHz, "
      "2019" },
    { { "LenovoSr635Epyc7742",
        { 63200, 114000, 136000, 155000, 168000, 178000, 186000, 198000, 213000,
          228000, 254000 } },
      "Lenovo ThinkSystem SR635, EPYC 7742, 64 cores, 2250 MHz, 2019" },
    { { "HpeDl380Gen10PlusXeon8380",
        { 127000, 198000, 226000, 253000, 281000, 314000, 354000, 405000,
          464000, 576000, 619000 } },
      "HPE ProLiant DL380 Gen10 Plus, 2 x Xeon Platinum 8380, 80 cores, "
      "2300 MHz, 2021" },
    { { "LenovoSr665Epyc7763",
        { 79300, 172000, 194000, 216000, 239000, 258000, 281000, 304000, 332000,
          382000, 454000 } },
      "Lenovo ThinkSystem SR665, 2 x EPYC 7763, 128 cores, 2450 MHz, 2021" },
    { { "Supermicro2024usEpyc7773X",
        { 191000, 204000, 227000, 250000, 266000, 288000, 317000, 346000,
          384000, 424000, 464000 } },
      "Supermicro 2024US-TRT, 2 x EPYC 7773X, 128 cores, 2200 MHz, 2022" },
};

const struct bl_power_entry *bl_power_catalog_entry(uint32_t i)
{
    return i < sizeof(catalog) / sizeof(catalog[0]) ? &catalog[i] : NULL;
}

const struct bl_power_table *bl_power_catalog_find(const char *name)
{
    const struct bl_power_entry *e;

    for (uint32_t i = 0; (e = bl_power_catalog_entry(i)) != NULL; i++)
        if (strcmp(e->table.name, name) == 0)
            return &e->table;
    return NULL;
}
