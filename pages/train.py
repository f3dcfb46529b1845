import streamlit as st

from cvae.ui.text import t

st.info(t("pages.soon"))
